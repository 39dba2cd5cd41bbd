package broker

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"gatehouse/provisioning"
	"gatehouse/store"
)

// prefixRequest begins the handle of an access request, gh_ar_<id>.<MAC>. The
// app gets it with access_denied and can ask how the request stands; it opens
// nothing else, and another app's copy of the id is worth nothing.
const prefixRequest = "gh_ar_"

func (b *Broker) requestHandle(requestID, clientID string) string {
	if requestID == "" || clientID == "" {
		return ""
	}
	return prefixRequest + requestID + "." + handleMAC(b.handleKeys[0], requestID, clientID)
}

func handleMAC(key []byte, requestID, clientID string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(requestID + "\x00" + clientID + "\x00"))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// withHandle adds the handle of the request this login waits for.
func (b *Broker) withHandle(e *oauthError, lg *login, req *request) *oauthError {
	if lg.Waiting == nil {
		return e
	}
	c := *e
	c.accessRequest = b.requestHandle(lg.Waiting.RequestID, req.Client.ID)
	return &c
}

// accessRequestState is what an app learns: how its own request stands, nothing
// about the person and nothing about who decides.
type accessRequestState struct {
	State            string     `json:"state"` // pending, approved, refused, expired
	Organization     string     `json:"organization"`
	OrganizationName string     `json:"organization_name,omitempty"`
	RequestedAt      time.Time  `json:"requested_at"`
	ExpiresAt        *time.Time `json:"expires_at,omitempty"` // of a pending one
	DecidedAt        *time.Time `json:"decided_at,omitempty"`
	Reason           string     `json:"reason,omitempty"`   // of a refusal, as the admin wrote it
	Question         string     `json:"question,omitempty"` // an approver's, that waits for an answer
}

// accessRequest tells an app how an access request stands: by the handle it got
// with access_denied, or by an access token of its person, about the newest
// request for this app.
func (b *Broker) accessRequest(w http.ResponseWriter, r *http.Request) {
	if !allowMethods(w, r, http.MethodGet) {
		return
	}
	token, oerr := bearerToken(r)
	switch {
	case oerr != nil:
		b.writeBearerError(w, r, http.StatusBadRequest, oerr.Code, oerr.Description)
		return
	case token == "":
		b.writeBearerError(w, r, http.StatusUnauthorized, "", "")
		return
	}
	// Every call counts, for it reads the store; one in three seconds is plenty.
	polling := "access-request " + store.HashToken(token)[:32]
	if !b.guesses.allow(polling, r.RemoteAddr) || !b.guesses.allow("access-request", r.RemoteAddr) {
		w.Header().Set("Retry-After", "5")
		b.writeBearerError(w, r, http.StatusTooManyRequests, "slow_down", "Ask at most every five seconds.")
		return
	}
	b.guesses.failed(polling, r.RemoteAddr)
	rec, org, err := b.findRequest(r, token)
	switch {
	case errors.Is(err, errInactive):
		b.guesses.failed("access-request", r.RemoteAddr)
		b.writeBearerError(w, r, http.StatusUnauthorized, "invalid_token", "This is neither the handle of an access request nor a valid access token.")
	case errors.Is(err, store.ErrNotFound):
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "not_found", "error_description": "There is no request for this app."})
	case err != nil:
		b.writeOAuthError(w, r, errUnavailable(err))
	default:
		writeJSON(w, http.StatusOK, b.stateOf(rec, org))
	}
}

func (b *Broker) stateOf(r store.AccessRequest, org store.Organization) accessRequestState {
	s := accessRequestState{
		State: r.State, Organization: r.OrganizationID, OrganizationName: org.Title, RequestedAt: wholeSeconds(r.CreatedAt),
		Question: provisioning.Question(r),
	}
	at := func(t time.Time) *time.Time {
		t = wholeSeconds(t)
		return &t
	}
	switch {
	case r.State == store.RequestPending && !b.now().Before(r.ExpiresAt):
		s.State, s.Question, s.DecidedAt = store.RequestExpired, "", at(r.ExpiresAt)
	case r.State == store.RequestPending:
		s.ExpiresAt = at(r.ExpiresAt)
	default:
		s.Question, s.DecidedAt = "", at(r.DecidedAt)
		if r.State == store.RequestRefused {
			s.Reason = r.Reason
		}
	}
	return s
}

// findRequest answers errInactive for every credential that does not count.
func (b *Broker) findRequest(r *http.Request, token string) (rec store.AccessRequest, org store.Organization, err error) {
	var find func(store.Tx) error
	if handle, ok := strings.CutPrefix(token, prefixRequest); ok {
		id, mac, _ := strings.Cut(handle, ".")
		find = func(tx store.Tx) (err error) {
			if rec, err = b.store.AccessRequests.Get(tx, id); errors.Is(err, store.ErrNotFound) {
				return errInactive // as for a wrong MAC: nobody learns which ids exist
			}
			genuine := false
			for _, key := range b.handleKeys {
				genuine = hmac.Equal([]byte(mac), []byte(handleMAC(key, id, rec.ClientID))) || genuine
			}
			if err == nil && !genuine {
				err = errInactive
			}
			return err
		}
	} else {
		a, err := b.readAccessToken(r.Context(), token)
		if err != nil {
			return rec, org, err
		}
		if a.grant.ID == "" {
			return rec, org, errInactive
		}
		find = func(tx store.Tx) (err error) {
			rec, err = b.provisioner.NewestWish(tx, a.grant.UserID, a.grant.ClientID)
			return err
		}
	}
	err = b.store.View(r.Context(), func(tx store.Tx) error {
		if err := find(tx); err != nil {
			return err
		}
		org, err = b.store.Organizations.Get(tx, rec.OrganizationID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return rec, org, err
}
