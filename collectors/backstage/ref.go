package backstage

import "strings"

// defaultNamespace is where entities are that name no namespace.
const defaultNamespace = "default"

// ref names an entity. Backstage compares the parts without regard to case; folded makes that equality the one of Go.
type ref struct{ Kind, Namespace, Name string }

// parseRef reads "[kind:][namespace/]name", which is how Backstage writes references; what is left out comes from where it stands.
func parseRef(s, kind, namespace string) (ref, bool) {
	r := ref{Kind: kind, Namespace: namespace, Name: strings.TrimSpace(s)}
	if before, after, ok := strings.Cut(r.Name, ":"); ok {
		r.Kind, r.Name = before, after
	}
	if before, after, ok := strings.Cut(r.Name, "/"); ok {
		r.Namespace, r.Name = before, after
	}
	r = r.folded()
	return r, r.Kind != "" && r.Name != "" && !strings.ContainsAny(r.Name, ":/")
}

func (r ref) folded() ref {
	r = ref{strings.ToLower(r.Kind), strings.ToLower(r.Namespace), strings.ToLower(r.Name)}
	if r.Namespace == "" {
		r.Namespace = defaultNamespace
	}
	return r
}

// String is the whole reference, e.g. "group:default/payments".
func (r ref) String() string { return r.Kind + ":" + r.Namespace + "/" + r.Name }

// short is how people name the entity: with its namespace only where that is not the default one.
func (r ref) short(name string) string {
	if r.Namespace == defaultNamespace {
		return name
	}
	return r.Namespace + "/" + name
}
