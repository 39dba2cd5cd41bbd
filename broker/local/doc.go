// Package local keeps the credentials of accounts that live here: passwords,
// passkeys, TOTP with recovery codes, mailed links, and the throttle in front
// of all of them. Both listeners use it: the broker for the people of local
// connections, the admin listener for the console's accounts.
//
// It owns how each is made, checked and thrown away. It knows nothing of pages,
// cookies, sessions or OAuth: callers hand it what was typed and get a user id
// or an error. Who may come in with it is provisioning's to decide.
//
// The invariants it guards: every guess is counted before its answer is known,
// known and unknown accounts cost the same (SECURITY-CASES Y1, Y2), nothing is
// locked for good (Y4), each code and each link counts once (Y5), and whoever
// knew the old password is out when it changes (L4).
package local
