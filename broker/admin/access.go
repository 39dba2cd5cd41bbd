package admin

import "gatehouse/store"

// Level is who may call a route. The zero Level admits nobody, and a route
// cannot be registered with it. Levels from Approver on are judged against
// what the route acts on: see [Scope].
type Level int

// Access levels, from the widest to the narrowest.
const (
	// Anyone: no sign-in needed (sign-in page, set-up page, static files).
	Anyone Level = iota + 1
	// SignedIn: any active user with a live console session or API token.
	SignedIn
	// Approver: who may decide about the access requests of an organization.
	Approver
	// Admin: admins and owners.
	Admin
	// Owner: owners, and the operator.
	Owner
)

// String names the level as docs/roles.md and OpenAPI (x-access) show it.
func (l Level) String() string {
	switch l {
	case Anyone:
		return "anyone"
	case SignedIn:
		return "signed-in"
	case Approver:
		return "approver"
	case Admin:
		return "admin"
	case Owner:
		return "owner"
	}
	return "nobody"
}

// Scope is what a route acts on, and so whose admins and owners its level
// means. Platform admins and owners pass in every scope.
type Scope int

// Scopes. The zero value is closed to everybody but the platform's own people.
const (
	// inPlatform: nobody's in particular.
	inPlatform Scope = iota
	// inOrganization: of the organization that {organization} of the path names.
	inOrganization
	// byObject: of the organization of the object that the last wildcard of the
	// path names; access_objects.go says how it is looked up.
	byObject
	// byBody: of the organization that the body names (API only); the input has
	// a method organization.
	byBody
	// anywhere: of any organization. Lists show what is the caller's; a change
	// works only as within or about says.
	anywhere
)

// String names the scope as docs/roles.md and OpenAPI (x-scope) show it.
func (s Scope) String() string {
	switch s {
	case inOrganization, byBody:
		return "organization"
	case byObject:
		return "object"
	case anywhere:
		return "own organizations"
	}
	return "platform"
}

// Object is what a level is judged against: the platform, or an organization.
type Object struct {
	OrganizationID string // empty: the platform
}

// Allows is the one access rule: a function of level, principal and object.
// Whoever has a platform role has it in every organization.
func (l Level) Allows(p Principal, o Object) bool {
	switch l {
	case Anyone:
		return true
	case SignedIn:
		return p.SignedIn()
	case Approver, Admin, Owner:
		return p.SignedIn() && p.rankIn(o.OrganizationID) >= l.rank()
	}
	return false
}

// Ranks order roles: nobody may change a person above themselves, or raise one
// above themselves (B6).
const (
	rankNone = iota
	rankApprover
	rankAdmin
	rankOwner
)

func rank(role string) int {
	switch role {
	case store.RoleOwner:
		return rankOwner
	case store.RoleAdmin:
		return rankAdmin
	}
	return rankNone
}

// rank is the least rank that a level asks for.
func (l Level) rank() int { return int(l-Approver) + rankApprover }

// rankIn is the caller's rank in an organization, or, for "", on the platform.
func (p Principal) rankIn(organization string) int {
	return max(rank(p.Role), p.companies[organization])
}

// highest is the caller's highest rank anywhere.
func (p Principal) highest() int {
	most := rank(p.Role)
	for _, r := range p.companies {
		most = max(most, r)
	}
	return most
}

// title is what the console calls the caller's highest role.
func (p Principal) title() string { return rankTitle(p.highest()) }

// roles are the caller's roles by organization.
func (p Principal) roles() map[string]string {
	out := map[string]string{}
	for id, r := range p.companies {
		out[id] = rankTitle(r)
	}
	return out
}

func rankTitle(rank int) string {
	switch rank {
	case rankOwner:
		return store.RoleOwner
	case rankAdmin:
		return store.RoleAdmin
	case rankApprover:
		return Approver.String()
	}
	return ""
}

// mayGive reports whether the caller may give a role in an organization (or,
// for "", on the platform): nobody gives more than they have (B6).
func (p Principal) mayGive(role, organization string) bool {
	return p.rankIn(organization) >= max(rank(role), rankAdmin)
}

// mayTouch reports whether the caller may act on who has a role in an
// organization (or, for "", on the platform): nobody touches who is above (B6).
func (p Principal) mayTouch(role, organization string) bool {
	return p.rankIn(organization) >= rank(role)
}
