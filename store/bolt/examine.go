package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"

	"golang.org/x/sys/unix"
)

// bbolt trusts its file: a page number pointing nowhere faults, and one that
// points back at itself recurses until the process dies, which no recover can
// stop. So the whole page tree is walked, with every step bounded, before
// bbolt sees the file. The layout is that of bbolt's file format version 2.
const (
	metaMagic    = 0xED0CDAED
	metaVersion  = 2
	metaSize     = 64 // the last 8 bytes are the checksum of the rest
	pageHeader   = 16 // id 8, flags 2, count 2, overflow 4
	elementSize  = 16
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	leafBucket   = 0x01
	bucketSize   = 16 // root page 8, sequence 8; an inline page follows if root is 0
	noFreelist   = ^uint64(0)
)

// examination of a file; pages remembers which page numbers were met.
type examination struct {
	data     []byte
	pageSize uint64
	pages    []bool
}

// rootPage is one of the two pages that say where the tree begins.
type rootPage struct {
	pageSize, root, freelist, pages, txid uint64
}

// examine checks the structure of a whole file. oneRoot reports that only one
// of the two root pages is readable: the last commit before the damage may be
// missing (SECURITY-CASES DB2). It reads, and writes nothing.
func examine(f *os.File, size int64) (oneRoot bool, err error) {
	if size == 0 {
		return false, fmt.Errorf("%w: it is empty", ErrForeign)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return false, fmt.Errorf("map file: %w", err)
	}
	defer func() { _ = unix.Munmap(data) }()
	return examineBytes(data)
}

func examineBytes(data []byte) (oneRoot bool, err error) {
	meta, readable := rootPages(data)
	if readable == 0 {
		return false, fmt.Errorf("%w: it does not begin like one", ErrForeign)
	}
	size := uint64(len(data))
	if meta.pages < 3 || meta.pages > size/meta.pageSize {
		return false, fmt.Errorf("%w: it is cut short (%d bytes, %d pages expected)", ErrDamaged, size, meta.pages)
	}
	x := &examination{data: data, pageSize: meta.pageSize, pages: make([]bool, meta.pages)}
	x.pages[0], x.pages[1] = true, true
	if meta.freelist != noFreelist {
		if err := x.freelist(meta.freelist); err != nil {
			return false, err
		}
	}
	return readable == 1, x.tree(meta.root, true, nil, nil)
}

// rootPages returns the newest readable root page and how many are readable.
func rootPages(data []byte) (best rootPage, readable int) {
	try := func(at uint64) (rootPage, bool) {
		if at+pageHeader+metaSize > uint64(len(data)) {
			return rootPage{}, false
		}
		m := data[at+pageHeader:][:metaSize]
		sum := fnv.New64a()
		_, _ = sum.Write(m[:metaSize-8])
		r := rootPage{
			pageSize: uint64(u32(m, 8)), root: u64(m, 16), freelist: u64(m, 32), pages: u64(m, 40), txid: u64(m, 48),
		}
		return r, u32(m, 0) == metaMagic && u32(m, 4) == metaVersion && u64(m, 56) == sum.Sum64() &&
			r.pageSize >= 1024 && r.pageSize <= 1<<24 && r.pageSize&(r.pageSize-1) == 0
	}
	if first, ok := try(0); ok {
		best, readable = first, 1
	}
	// Where the second one is depends on the page size, which only a readable
	// first one tells.
	for size := uint64(1024); size <= 1<<24; size <<= 1 {
		if readable > 0 && best.pageSize != size {
			continue
		}
		if second, ok := try(size); ok && second.pageSize == size {
			if readable == 0 || second.txid > best.txid {
				best = second
			}
			return best, readable + 1
		}
	}
	return best, readable
}

// page returns a page with its overflow, marking all of it as met.
func (x *examination) page(id uint64) ([]byte, error) {
	if id < 2 || id >= uint64(len(x.pages)) {
		return nil, damaged("page %d does not exist", id)
	}
	page := x.data[id*x.pageSize:]
	overflow := uint64(u32(page, 12))
	if u64(page, 0) != id || id+overflow >= uint64(len(x.pages)) {
		return nil, damaged("page %d has a wrong header", id)
	}
	for p := id; p <= id+overflow; p++ {
		if x.pages[p] {
			return nil, damaged("page %d is used twice", p)
		}
		x.pages[p] = true
	}
	return page[:(overflow+1)*x.pageSize], nil
}

// freelist checks the list of free pages, which our files do not carry but a
// file compacted by bbolt's own tool does.
func (x *examination) freelist(id uint64) error {
	page, err := x.page(id)
	if err != nil {
		return err
	}
	count, ids := uint64(u16(page, 10)), page[pageHeader:]
	if count == 0xFFFF { // too long for 16 bits: the first entry is the count
		count, ids = u64(ids, 0), ids[8:]
	}
	if u16(page, 8) != flagFreelist || count > uint64(len(ids))/8 {
		return damaged("page %d is not a list of free pages", id)
	}
	for i := range count {
		free := u64(ids, int(i)*8)
		if free < 2 || free >= uint64(len(x.pages)) || x.pages[free] {
			return damaged("free page %d does not exist or is in use", free)
		}
		x.pages[free] = true
	}
	return nil
}

// tree walks a tree of pages. In the outermost one, values may be buckets. A
// child's first key is the one its parent names it by, and its keys end before
// the next child's: bbolt finds nodes by that, and panics in a commit otherwise.
func (x *examination) tree(id uint64, outermost bool, first, end []byte) error {
	page, err := x.page(id)
	if err != nil {
		return err
	}
	e, err := elements(page, id)
	if err != nil {
		return err
	}
	n := len(e)
	switch {
	case first != nil && (n == 0 || !bytes.Equal(e[0].key, first)):
		return damaged("page %d does not begin with its key", id)
	case end != nil && n > 0 && bytes.Compare(e[n-1].key, end) >= 0:
		return damaged("page %d overlaps the next", id)
	}
	switch u16(page, 8) {
	case flagBranch:
		if n == 0 {
			return damaged("page %d is empty", id)
		}
		for i := range e {
			next := end
			if i+1 < n {
				next = e[i+1].key
			}
			if err := x.tree(e[i].child, outermost, e[i].key, next); err != nil {
				return err
			}
		}
		return nil
	case flagLeaf:
		for i := range e {
			if err := x.leaf(&e[i], id, outermost); err != nil {
				return err
			}
		}
		return nil
	}
	return damaged("page %d is of no known kind", id)
}

func (x *examination) leaf(e *element, id uint64, outermost bool) error {
	switch {
	case e.flags == 0:
		return nil
	case e.flags != leafBucket || !outermost || len(e.value) < bucketSize:
		return damaged("page %d has a strange element", id)
	}
	if root := u64(e.value, 0); root != 0 {
		return x.tree(root, false, nil, nil)
	}
	inline := e.value[bucketSize:]
	if len(inline) < pageHeader || u16(inline, 8) != flagLeaf {
		return damaged("page %d has a broken small bucket", id)
	}
	inner, err := elements(inline, id)
	for i := range inner {
		if inner[i].flags != 0 {
			return damaged("page %d has a strange element", id)
		}
	}
	return err
}

// element is one entry of a page: a child's first key, or a key and its value.
type element struct {
	key, value []byte
	child      uint64
	flags      uint32
}

// elements returns the entries of a page, after checking that all of them lie
// within it and that the keys ascend.
func elements(page []byte, id uint64) ([]element, error) {
	size, count := uint64(len(page)), uint64(u16(page, 10))
	if pageHeader+count*elementSize > size {
		return nil, damaged("page %d holds too many elements", id)
	}
	branch := u16(page, 8) == flagBranch
	out := make([]element, count)
	for i := range count {
		at := pageHeader + i*elementSize
		h := page[at:][:elementSize]
		e := &out[i]
		var pos, klen, vlen uint64
		if branch { // pos 4, key size 4, page 8
			pos, klen, e.child = uint64(u32(h, 0)), uint64(u32(h, 4)), u64(h, 8)
		} else { // flags 4, pos 4, key size 4, value size 4
			e.flags, pos, klen, vlen = u32(h, 0), uint64(u32(h, 4)), uint64(u32(h, 8)), uint64(u32(h, 12))
		}
		if klen == 0 || at+pos+klen+vlen > size {
			return nil, damaged("element %d of page %d lies outside of it", i, id)
		}
		e.key, e.value = page[at+pos:][:klen], page[at+pos+klen:][:vlen]
		if i > 0 && bytes.Compare(out[i-1].key, e.key) >= 0 {
			return nil, damaged("the keys of page %d are out of order", id)
		}
	}
	return out, nil
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}

func u16(b []byte, at int) uint16 { return binary.NativeEndian.Uint16(b[at:]) }
func u32(b []byte, at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }
func u64(b []byte, at int) uint64 { return binary.NativeEndian.Uint64(b[at:]) }
