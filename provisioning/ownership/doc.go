// Package ownership proves that an organization holds an e-mail domain: by a
// TXT record with a value that only this organization was given.
//
// It owns the name and value of the record, how DNS is asked, when it is asked
// again, and what an answer does to a claim. It does not know who may claim a
// domain, nor what an owned one is good for.
//
// Invariant: only a definite answer changes what a claim is worth. An outage of
// DNS, a lying size or a broken message proves nothing and takes nothing away.
package ownership
