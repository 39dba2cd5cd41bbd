package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"
)

// stamp authenticates stored records, because no engine notices an edited
// byte (SECURITY-CASES DB1): each JSON object begins with a member "_mac"
// holding the key id and a 128-bit HMAC over bucket, key and the rest of the
// object. An older version of the same record, put back whole, is not noticed.
type stamp struct{ keys []stampKey } // active first

type stampKey struct {
	id     string // 8 hex digits
	hashes *sync.Pool
}

const (
	stampBegin = `{"_mac":"`
	stampID    = 8
	stampMAC   = 32 // hex digits
	stampEnd   = len(stampBegin) + stampID + stampMAC
	stampSize  = stampEnd + 2 // `",`
)

func newStamp(r *Keyring) *stamp {
	s := &stamp{}
	for _, k := range r.keys {
		secret := k.derive("records/mac")
		s.keys = append(s.keys, stampKey{id: k.id, hashes: &sync.Pool{
			New: func() any { return hmac.New(sha256.New, secret) },
		}})
	}
	return s
}

// put returns the JSON object body with its stamp in front.
func (s *stamp) put(bucket, key string, body []byte) []byte {
	raw := make([]byte, 0, stampSize+len(body))
	raw = append(raw, stampBegin...)
	raw = append(raw, s.keys[0].id...)
	rest := body[1:] // without the brace
	mac := s.keys[0].mac(bucket, key, rest)
	raw = hex.AppendEncode(raw, mac[:])
	raw = append(raw, `",`...)
	return append(raw, rest...)
}

// verify checks what put made; stale reports that an old key did it.
func (s *stamp) verify(bucket, key string, raw []byte) (stale bool, err error) {
	if len(raw) > stampSize && string(raw[:len(stampBegin)]) == stampBegin && string(raw[stampEnd:stampSize]) == `",` {
		id := string(raw[len(stampBegin):][:stampID])
		for i, k := range s.keys {
			if k.id != id {
				continue
			}
			mac := k.mac(bucket, key, raw[stampSize:])
			var want [stampMAC]byte
			hex.Encode(want[:], mac[:])
			if hmac.Equal(want[:], raw[len(stampBegin)+stampID:stampEnd]) {
				return i > 0, nil
			}
		}
	}
	return false, fmt.Errorf("%w: %s", ErrDamaged, bucket)
}

func (k stampKey) mac(bucket, key string, body []byte) (out [stampMAC / 2]byte) {
	h := k.hashes.Get().(hash.Hash)
	h.Reset()
	var head [128]byte
	b := binary.AppendUvarint(head[:0], uint64(len(bucket)))
	b = append(b, bucket...)
	b = binary.AppendUvarint(b, uint64(len(key)))
	b = append(b, key...)
	_, _ = h.Write(b)
	_, _ = h.Write(body)
	var sum [sha256.Size]byte
	copy(out[:], h.Sum(sum[:0]))
	k.hashes.Put(h)
	return out
}
