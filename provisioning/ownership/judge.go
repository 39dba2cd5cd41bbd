package ownership

import (
	"time"

	"gatehouse/store"
)

// Grace is how long the record of a proven domain may be missing before the
// claim lapses.
const Grace = 7 * 24 * time.Hour

// judge is what an answer makes of a claim: a pure function, the whole rule.
// taken says that another organization holds the domain.
//
//	claim      proven                     missing                                  unknown
//	pending    verified, unless taken     stays, with the reason                   stays, with the reason
//	verified   stays, seen now            missing since now; after Grace lapsed    stays, with the reason
//	lapsed     verified, unless taken     stays, with the reason                   stays, with the reason
//	asserted   is not asked
//
// Missing is counted from the first definite answer. Only another definite
// answer after Grace lets a claim lapse, so that an outage takes nobody out.
func judge(d store.Domain, a Answer, taken bool, grace time.Duration) store.Domain {
	if d.State == store.DomainAsserted {
		return d
	}
	d.CheckedAt, d.CheckError = a.At, a.Says
	switch a.Outcome {
	case Proven:
		if taken && d.State != store.DomainVerified {
			d.CheckError = "The record is there, but another organization holds this domain. An owner of the platform can assert it for this one, too."
			return d
		}
		d.State, d.VerifiedAt, d.MissingSince = store.DomainVerified, a.At, time.Time{}
	case Missing:
		if d.State == store.DomainPending {
			return d
		}
		if d.MissingSince.IsZero() {
			d.MissingSince = a.At
		}
		if d.State == store.DomainVerified && a.At.Sub(d.MissingSince) >= grace {
			d.State = store.DomainLapsed
		}
	case Unknown:
	}
	return d
}

// How often DNS is asked.
const (
	everyFirstDay = 5 * time.Minute // a fresh claim: somebody waits for it
	everyHour     = time.Hour       // an older one, or one whose record is missing
	everyDay      = 24 * time.Hour
	staleAfter    = 30 * everyDay // a claim nobody proves is asked for daily
)

// due reports whether it is time to look again.
func due(d store.Domain, now time.Time) bool {
	every := everyDay
	age := now.Sub(d.CreatedAt)
	switch {
	case d.State == store.DomainAsserted || d.Challenge == "":
		return false
	case d.State == store.DomainPending && age < everyDay:
		every = everyFirstDay
	case d.State == store.DomainPending && age > staleAfter:
	case d.State == store.DomainPending, !d.MissingSince.IsZero(), d.CheckError != "":
		every = everyHour
	}
	return now.Sub(d.CheckedAt) >= every
}
