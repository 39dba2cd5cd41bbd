package admin

import "gatehouse/store"

// Level is who may call a route. The zero Level admits nobody, and a route
// cannot be registered with it.
type Level int

// Access levels, from the widest to the narrowest.
const (
	// Anyone: no sign-in needed (sign-in page, set-up page, static files).
	Anyone Level = iota + 1
	// SignedIn: any active user with a live console session or API token.
	SignedIn
	// Admin: platform admins and owners.
	Admin
	// Owner: platform owners and the operator.
	Owner
)

// String names the level as docs/admin.md and OpenAPI (x-access) show it.
func (l Level) String() string {
	switch l {
	case Anyone:
		return "anyone"
	case SignedIn:
		return "signed-in"
	case Admin:
		return "admin"
	case Owner:
		return "owner"
	}
	return "nobody"
}

// Object is what a route acts on. Today only the platform role decides; roles
// within an organization will look at OrganizationID.
type Object struct {
	Kind           string
	OrganizationID string
}

// Allows is the one access rule: a function of level, principal and object.
func (l Level) Allows(p Principal, _ Object) bool {
	switch l {
	case Anyone:
		return true
	case SignedIn:
		return p.SignedIn()
	case Admin:
		return p.SignedIn() && (p.Role == store.RoleOwner || p.Role == store.RoleAdmin)
	case Owner:
		return p.SignedIn() && p.Role == store.RoleOwner
	}
	return false
}

// rank orders platform roles: nobody may change a person above themselves (B6).
func rank(role string) int {
	switch role {
	case store.RoleOwner:
		return 2
	case store.RoleAdmin:
		return 1
	}
	return 0
}
