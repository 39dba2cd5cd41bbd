// Package notify tells people and programs what happened: mails and webhooks.
//
// It owns the way from a store.Event to mails and deliveries, the queues they
// wait in, and their sending. It must not know how something comes to happen,
// how a page looks, or which addresses may be reached: the last is the word of
// whoever hands it a Poster.
//
// The invariant: nothing here delays or fails what is told of. An event is one
// record in the Update in which something happened; everything else follows
// later, is bounded in number and time, and may be lost without harm beyond a
// message that does not come. A webhook is called at least once; a mail is sent
// twice only when the process dies between the server's word and our record.
package notify
