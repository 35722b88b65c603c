# syntax=docker/dockerfile:1
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
COPY third_party ./third_party
RUN go mod download
COPY . .
ARG VERSION=unknown
ARG REVISION=unknown
RUN CGO_ENABLED=0 go build -trimpath \
      -ldflags "-s -w -X github.com/prometheus/common/version.Version=${VERSION} -X github.com/prometheus/common/version.Revision=${REVISION}" \
      -o /out/prodsec_exporter ./cmd/prodsec_exporter \
 && go run ./cmd/notices -os linux >/out/THIRD_PARTY_NOTICES \
 # The static image has no shell to make the folder with the right owner.
 && mkdir -p /out/data

FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="prodsec_exporter" \
      org.opencontainers.image.description="Prometheus exporter for the metrics of a product-security programme" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /out/prodsec_exporter /usr/bin/prodsec_exporter
COPY --from=build /src/LICENSE /src/NOTICE /out/THIRD_PARTY_NOTICES /usr/share/doc/prodsec_exporter/
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
# The ledger is the only thing that is written.
VOLUME /data
EXPOSE 10042
ENTRYPOINT ["/usr/bin/prodsec_exporter"]
CMD ["--config.file=/etc/prodsec_exporter/prodsec.yml", "--ledger.path=/data/prodsec.db"]
