package identity

import (
	"reflect"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

// TestContentHashesEveryField changes each field of a finding in turn: one that were left out would never be updated.
func TestContentHashesEveryField(t *testing.T) {
	_, empty := ContentOf(nil, &record.Finding{})
	seen := map[uint64]string{empty: "no field"}
	fields := reflect.TypeFor[record.Finding]()
	for i := range fields.NumField() {
		var f record.Finding
		name, v := fields.Field(i).Name, reflect.ValueOf(&f).Elem().Field(i)
		switch v.Interface().(type) {
		case time.Time:
			v.Set(reflect.ValueOf(time.Unix(1e9, 0)))
		case []string:
			v.Set(reflect.ValueOf([]string{"a"}))
		case int:
			v.SetInt(7)
		case float64:
			v.SetFloat(0.5)
		default:
			v.SetString("x") // a new type of field fails here, and asks to be hashed
		}
		_, h := ContentOf(nil, &f)
		if other, ok := seen[h]; ok {
			t.Errorf("%s hashes like %s", name, other)
		}
		seen[h] = name
	}
}
