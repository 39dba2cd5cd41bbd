package store

// Buried reports whether a deleted record had the key, so that no other can
// ever have it.
func (c *Collection[T]) Buried(tx Tx, key string) (bool, error) {
	if !c.schema.Tombstones || key == "" || len(key) > MaxKey {
		return false, nil
	}
	dead, err := tx.Get(c.tombstones, []byte(key))
	return dead != nil, err
}
