package web

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// maxDelivery bounds a webhook's payload in bytes. Those of the events that count have a few thousand; a delivery that is larger is refused, and polling finds
	// what it was about.
	maxDelivery = 1 << 20
	// deliveryTime is how long a sender may take to send it.
	deliveryTime = 10 * time.Second
)

// DeliveryResult is what became of a webhook's delivery: the label "result" of prodsec_webhook_deliveries_total.
type DeliveryResult string

// The results.
const (
	// DeliveryAccepted: scopes will be read soon.
	DeliveryAccepted DeliveryResult = "accepted"
	// DeliveryIgnored: it is about nothing that is read.
	DeliveryIgnored DeliveryResult = "ignored"
	// DeliveryDuplicate: it was delivered before.
	DeliveryDuplicate DeliveryResult = "duplicate"
	// DeliveryForged: it is not signed, or by somebody else.
	DeliveryForged DeliveryResult = "forged"
	// DeliveryMalformed: it is signed but cannot be understood.
	DeliveryMalformed DeliveryResult = "malformed"
	// DeliveryTooLarge: it is larger than 1 MiB, or took too long to arrive.
	DeliveryTooLarge DeliveryResult = "too_large"
	// DeliveryFailed: it could not be checked, for example because the secret cannot be read.
	DeliveryFailed DeliveryResult = "failed"
)

// DeliveryResults lists every result.
func DeliveryResults() []DeliveryResult {
	return []DeliveryResult{
		DeliveryAccepted, DeliveryIgnored, DeliveryDuplicate, DeliveryForged, DeliveryMalformed, DeliveryTooLarge, DeliveryFailed,
	}
}

// Receiver takes the deliveries of one webhook.
type Receiver interface {
	// Receive takes a delivery as it came.
	Receive(header http.Header, body []byte) DeliveryResult
	// Refused is told of a delivery that could not be read.
	Refused(result DeliveryResult)
}

// delivery answers POST /-/webhook/{kind}/{name}. It proves nothing by itself: a delivery is believed when the collector's secret signed it.
func (o *Options) delivery(w http.ResponseWriter, r *http.Request) {
	var receiver Receiver
	if o.Receiver != nil {
		receiver = o.Receiver(r.PathValue("kind"), r.PathValue("name"))
	}
	if receiver == nil {
		plain(w, http.StatusNotFound, "No collector of that name takes deliveries.\n")
		return
	}
	// Not every server can set a deadline; then the bound on the size is what there is.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(deliveryTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	if err != nil {
		receiver.Refused(DeliveryTooLarge)
		code := http.StatusBadRequest
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			code = http.StatusRequestEntityTooLarge
		}
		plain(w, code, "The delivery is too large or did not arrive in time.\n")
		return
	}
	switch receiver.Receive(r.Header, body) {
	case DeliveryForged:
		plain(w, http.StatusUnauthorized, "The delivery is not signed with the configured secret.\n")
	case DeliveryMalformed:
		plain(w, http.StatusBadRequest, "The delivery cannot be understood.\n")
	case DeliveryFailed:
		plain(w, http.StatusInternalServerError, "The delivery could not be checked; see the log.\n")
	default:
		plain(w, http.StatusAccepted, "Received.\n")
	}
}
