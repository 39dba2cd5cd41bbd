// Command gatehouse is the one binary: the identity broker, its development
// environment and its command line.
//
// serve.go is the only place where the packages are wired together. The
// process's outermost layer lives here too — configuration, listeners, TLS,
// request ids, access log, metrics, refusal of foreign hosts and of headers
// nobody vouches for — because it must hold for every page and endpoint alike.
// Nothing in here decides about a login.
package main
