package storetest_test

import (
	"testing"

	"gatehouse/store"
	"gatehouse/store/storetest"
)

func TestOpenGivesAWorkingStore(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return s.Users.Insert(tx, store.User{ID: "u1", Status: store.UserActive})
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.View(t.Context(), func(tx store.Tx) error {
		_, err := s.Users.Get(tx, "u1")
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
