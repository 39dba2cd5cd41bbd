package profile

import (
	"encoding/json"
	"testing"
)

// The limit beside BenchmarkParseJSON2K: encoding/json, with fewer checks.
func BenchmarkEncodingJSON2K(b *testing.B) {
	doc := profile2K()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		var v any
		if err := json.Unmarshal(doc, &v); err != nil {
			b.Fatal(err)
		}
	}
}
