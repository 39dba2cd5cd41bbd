package local

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"gatehouse/store"
)

// KnownFor is how long a browser is remembered.
const KnownFor = 90 * 24 * time.Hour

// knownBrowsers remembers, in a sealed cookie, that a person has signed in from
// this browser. Such a browser does not wait for the account's pause, so an
// attacker who keeps failing cannot keep its owner out (Y4).
type knownBrowsers struct{ sealer *store.Sealer }

type knownBrowser struct {
	UserID string    `json:"u"`
	ID     string    `json:"i"`
	Until  time.Time `json:"t"`
}

// KnownBrowser makes the cookie value of a browser in which userID has just
// signed in.
func (a *Accounts) KnownBrowser(userID string) string {
	raw, _ := json.Marshal(knownBrowser{UserID: userID, ID: store.NewID(), Until: a.now().Add(KnownFor)})
	return base64.RawURLEncoding.EncodeToString(a.known.sealer.Seal(raw, []byte("known")))
}

// read returns a key for the throttle when the cookie is userID's, else "".
func (k knownBrowsers) read(cookie, userID string, now time.Time) string {
	box, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil || userID == "" {
		return ""
	}
	raw, _, err := k.sealer.Open(box, []byte("known"))
	var b knownBrowser
	if err != nil || json.Unmarshal(raw, &b) != nil || b.UserID != userID || !now.Before(b.Until) {
		return ""
	}
	return "browser:" + b.ID
}
