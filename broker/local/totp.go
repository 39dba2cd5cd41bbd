package local

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 as every authenticator app speaks it; HMAC-SHA-1 is not broken
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"time"
)

// TOTP as authenticator apps have it (RFC 6238): SHA-1, 6 digits, 30 seconds.
const (
	totpPeriod = 30
	totpDigits = 6
	totpSeed   = 20 // bytes, RFC 4226 §4
)

// totpStep is the number of the 30 seconds that at lies in.
func totpStep(at time.Time) int64 { return at.Unix() / totpPeriod }

// totpCode is the code of one step (RFC 4226 §5.3, RFC 6238 §4).
func totpCode(seed []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac := hmac.New(sha1.New, seed)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	number := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, number%1_000_000)
}

// totpMatch finds the step a code is of: this one, the one before or the one
// after, for clocks that are a little off. 0 when it is of none.
func totpMatch(seed []byte, code string, now time.Time) int64 {
	found := int64(0)
	for step := totpStep(now) - 1; step <= totpStep(now)+1; step++ {
		if subtle.ConstantTimeCompare([]byte(totpCode(seed, step)), []byte(code)) == 1 {
			found = step
		}
	}
	return found
}

func seedText(seed []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
}

// totpURL is what the QR code says (the key URI format of authenticator apps).
func totpURL(product, account string, seed []byte) string {
	q := url.Values{"secret": {seedText(seed)}, "issuer": {product}}
	return (&url.URL{
		Scheme: "otpauth", Host: "totp", Path: "/" + product + ":" + account, RawQuery: q.Encode(),
	}).String()
}
