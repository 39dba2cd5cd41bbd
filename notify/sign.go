package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"gatehouse/store"
)

// Standard Webhooks: names and forms of what proves that a call is ours.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
	secretPrefix    = "whsec_"
)

// NewSecret makes a signing secret: 256 random bits in the form that Standard
// Webhooks libraries read.
func NewSecret() store.Secret {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails; the process ends instead (FT26)
	return store.Secret(secretPrefix + base64.StdEncoding.EncodeToString(raw))
}

var errSecret = errors.New("notify: a webhook's secret is not one of ours")

// signature is the value of the signature header: one signature per secret,
// over id, timestamp and body, so that a receiver with either secret is content.
func signature(id string, at time.Time, body []byte, secrets ...store.Secret) (string, error) {
	var out []string
	for _, s := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Reveal(), secretPrefix))
		if err != nil || len(key) < 24 {
			return "", errSecret
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		out = append(out, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(out, " "), nil
}

// secretsOf are the secrets that sign a webhook's deliveries now.
func secretsOf(w store.Webhook, now time.Time) ([]store.Secret, error) {
	s, err := w.Secret.Reveal()
	if err != nil {
		return nil, err
	}
	out := []store.Secret{s}
	if !w.PreviousSecret.IsZero() && now.Before(w.PreviousUntil) {
		if s, err = w.PreviousSecret.Reveal(); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}
