// Package storetest is the one suite that every engine passes ([Run]), and
// what other packages' tests open a store with ([Open]).
package storetest
