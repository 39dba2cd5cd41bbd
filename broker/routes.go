package broker

import (
	"net/http"

	"gatehouse/broker/local"
)

// Paths under the issuer.
const (
	pathOpenIDConfiguration = "/.well-known/openid-configuration"
	pathServerMetadata      = "/.well-known/oauth-authorization-server"
	pathAuthorize           = "/oauth2/authorize"
	pathToken               = "/oauth2/token"
	pathUserinfo            = "/oauth2/userinfo"
	pathJWKS                = "/oauth2/jwks"
	pathIntrospect          = "/oauth2/introspect"
	pathRevoke              = "/oauth2/revoke"
	pathLogout              = "/oauth2/logout"
	pathSignedOut           = "/signed-out"
	pathLogin               = "/login"
	pathChoose              = "/login/choose"
	pathCallback            = "/login/callback/{connection}"
	pathWaiting             = "/login/waiting"
	pathEvents              = "/login/waiting/events"
	pathConsent             = "/login/consent"
	pathTest                = "/login/test"
	pathBack                = "/login/back"
	pathLocal               = "/login/local"
	pathLocalPasskey        = "/login/local/passkey"
	pathFactor              = "/login/local/factor"
	pathEnrol               = "/login/local/enrol"
	pathJoin                = "/login/local/join"
	pathForgot              = "/login/local/forgot"
	pathAsk                 = "/login/ask"
	pathInvitation          = "/invitation"
	pathWelcome             = "/invitation/welcome"
	pathIsItYou             = "/login/is-it-you"
	pathAccount             = "/account"
	pathAccessRequest       = "/api/v1/me/access-request"
)

// who may call a route from a browser.
type kind int

const (
	// page: forms of ours post to it; a cross-site POST is refused (L2).
	page kind = iota
	// protocol: other sites send browsers here by design; it proves for itself
	// whose request it is.
	protocol
	// api: no cookies are read; CORS for the origins of registered clients.
	api
	// open: a document anyone may read from anywhere.
	open
)

// route is one URL of the public listener.
type route struct {
	path    string
	kind    kind
	methods []string // empty: the handler answers 405 itself
	handle  http.HandlerFunc
}

// routes lists every URL of the public listener.
func (b *Broker) routes() []route {
	get, post, form := []string{http.MethodGet}, []string{http.MethodPost}, []string{http.MethodGet, http.MethodPost}
	return []route{
		{pathOpenIDConfiguration, open, nil, b.discovery},
		{pathServerMetadata, open, nil, b.discovery},
		{pathJWKS, open, nil, b.jwks},

		{pathAuthorize, protocol, nil, b.authorize},
		{pathLogout, protocol, nil, b.logout},
		{pathCallback, protocol, form, b.callback},

		{pathToken, api, nil, b.token},
		{pathUserinfo, api, nil, b.userinfo},
		{pathIntrospect, api, nil, b.introspect},
		{pathRevoke, api, nil, b.revoke},

		{pathLogin, page, form, b.loginPage},
		{pathChoose, page, form, b.choosePage},
		{pathConsent, page, form, b.consentPage},
		{pathWaiting, page, form, b.waitingPage},
		{pathEvents, page, get, b.events},
		{pathBack, page, get, b.back},
		{pathTest, page, form, b.testPage},
		{pathLocal, page, form, b.localPage},
		{pathLocalPasskey, page, post, b.localPasskeyPage},
		{pathFactor, page, form, b.factorPage},
		{pathEnrol, page, form, b.enrolPage},
		{pathJoin, page, form, b.joinPage},
		{pathForgot, page, form, b.forgotPage},
		{local.PathReset, page, form, b.resetPage},
		{local.PathProve, page, form, b.provePage},
		{pathAsk, page, form, b.askPage},
		{pathInvitation, page, form, b.invitationPage},
		{pathWelcome, page, get, b.welcomePage},
		{pathAccessRequest, api, nil, b.accessRequest},
		{pathIsItYou, page, form, b.isItYouPage},
		{pathAccount, page, get, b.accountPage},
		{pathAccount + "/link", page, post, b.accountLink},
		{pathAccount + "/unlink", page, post, b.accountUnlink},
		{pathAccount + "/end", page, post, b.accountEnd},
		{pathAccount + "/sign-out", page, post, b.accountSignOut},
		{pathAccount + "/fresh", page, post, b.accountFresh},
		{pathAccount + "/password", page, post, b.accountPassword},
		{pathSignedOut, page, get, b.signedOut},
	}
}

// mux puts the routes behind what their kind demands.
func (b *Broker) mux() http.Handler {
	mux := http.NewServeMux()
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.refusePage(w, r, &pageError{Kind: pageForm, Status: http.StatusForbidden})
	}))
	for _, rt := range b.routes() {
		var h http.Handler = rt.handle
		switch rt.path {
		case pathAuthorize, pathCallback, pathToken, pathLogin, pathChoose, pathConsent, pathWaiting, pathBack, pathLocal, pathLocalPasskey, pathFactor, pathEnrol, pathJoin, pathAsk, pathInvitation, pathIsItYou, pathAccount, pathAccount + "/link", pathAccount + "/fresh":
			h = b.traced(h)
		}
		if rt.kind == page || rt.kind == protocol {
			h = looking(h)
		}
		if rt.methods != nil {
			h = onlyMethods(rt.methods, h)
		}
		switch rt.kind {
		case page:
			h = crossOrigin.Handler(h)
		case api:
			h = b.cors(h)
		case open:
			h = anyOrigin(h)
		case protocol:
		}
		mux.Handle(rt.path, h)
	}
	mux.Handle("GET /static/", b.templates.Static())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		b.refusePage(w, r, &pageError{Kind: pageNotFound, Status: http.StatusNotFound})
	})
	return mux
}

func onlyMethods(methods []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && methods[0] == http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		if allowMethods(w, r, methods...) {
			next.ServeHTTP(w, r)
		}
	})
}
