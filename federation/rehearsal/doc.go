// Package rehearsal holds test logins: real sign-ins at a connection that may be
// unsaved, changed or switched off, after which nobody is signed in.
//
// It is where the two listeners meet, who do not know each other: the admin
// listener adds a test and gets a one-time link, the public listener takes the
// link, runs the sign-in and hands the result in. Everything lies in a ring of
// fixed size in memory, for half an hour; nothing is written anywhere. Values
// that a provider sent are masked when the result is made. What is behind the
// mask comes out of [Book.Reveal] alone, one value at a time.
package rehearsal
