package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// FileName is the store's file in the state directory.
const FileName = "catpaw.db"

// ErrInUse says that another process has the file.
var ErrInUse = errors.New("another catpaw uses it")

// errDamaged marks what no later try can mend: the file must be put aside.
var errDamaged = errors.New("the file is damaged")

// errNewer says that the file was written by a later version of this program.
var errNewer = errors.New("the file was written by a newer catpaw")

// file is catpaw.db. Only the writer writes to it and replaces it; anyone may read.
type file struct {
	path string

	mu sync.RWMutex // held for writing while db is replaced
	db *bbolt.DB
	is os.FileInfo // the file as it was opened, to notice that it was removed
}

// openFile opens the file of a directory, making both where they are missing. The modes keep others on
// this host from reading what the checks found.
func openFile(dir string) (*file, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f := &file{path: filepath.Join(dir, FileName)}
	var err error
	if f.db, err = openDB(f.path, false); err != nil {
		return nil, err
	}
	if f.is, err = os.Stat(f.path); err == nil {
		err = syncDir(dir)
	}
	if err == nil {
		err = f.begin()
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// initialMap is how many bytes of addresses are set aside for the file, so that it need not be mapped anew,
// with all of bbolt waiting, while it grows: 2 µs less for each event of a burst. It takes no memory.
const initialMap = 64 << 20

// pageSize is that of a new file, in bytes. Larger pages are fewer to write and to look through: a burst of
// 100,000 events takes 1.07 s, with the usual 4 KiB 1.23 s.
const pageSize = 16 << 10

// growth is by how many bytes the file grows at a time, without holding them.
const growth = 1 << 20

// openDB opens a file of bbolt. The list of free pages is kept in the file: otherwise bbolt would read
// the whole file at every start, in a goroutine whose panic on a damaged page nobody could catch.
func openDB(path string, readOnly bool) (db *bbolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(&err)
	const aMoment = 500 * time.Millisecond // somebody may be looking: catpaw queue, catpaw check
	options := &bbolt.Options{Timeout: aMoment, FreelistType: bbolt.FreelistMapType, ReadOnly: readOnly, InitialMmapSize: initialMap, PageSize: pageSize}
	if runtime.GOOS == "windows" { // there it would be the size of the file
		options.InitialMmapSize = 0
	}
	db, err = bbolt.Open(path, 0o600, options)
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, ErrInUse
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w: %v", errDamaged, err)
	case err != nil:
		if info, e := os.Stat(path); e == nil && info.Size() > 0 && info.Size() < 2*pageSize {
			return nil, fmt.Errorf("%w: it is cut short", errDamaged)
		}
		return nil, err
	}
	db.AllocSize = growth
	err = checkSize(db, path)
	if err == nil {
		err = checkPages(path, db.Info().PageSize)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// checkSize finds a file that ends before its last page, which would be a fault of memory when read.
func checkSize(db *bbolt.DB, path string) error {
	return db.View(func(tx *bbolt.Tx) error {
		info, err := os.Stat(path)
		if err == nil && info.Size() < tx.Size() {
			err = fmt.Errorf("%w: it has %d bytes of %d", errDamaged, info.Size(), tx.Size())
		}
		return err
	})
}

// begin makes a new file one of this program's. In one that is there it changes nothing, which takes a start half a
// millisecond less; but who was killed may not have synced what is read from it, and nobody may act on that before.
func (f *file) begin() error {
	prepared := false
	err := f.read(func(tx *bbolt.Tx) (err error) {
		prepared, err = isPrepared(tx)
		return err
	})
	switch {
	case err != nil:
		return err
	case prepared:
		return f.db.Sync()
	}
	return f.update(prepare)
}

// isPrepared reports whether nothing is missing, and refuses a version that cannot be read.
func isPrepared(tx *bbolt.Tx) (bool, error) {
	if meta := tx.Bucket(bucketMeta); meta != nil {
		version := meta.Get(keyVersion)
		switch {
		case version == nil:
			return false, nil
		case len(version) != 4:
			return false, fmt.Errorf("%w: its version cannot be read", errDamaged)
		}
		if v := binary.BigEndian.Uint32(version); v > layoutVersion {
			return false, fmt.Errorf("%w (layout %d, this one knows %d)", errNewer, v, layoutVersion)
		}
	}
	return !slices.ContainsFunc(buckets, func(name []byte) bool { return tx.Bucket(name) == nil }), nil
}

// prepare makes what is missing.
func prepare(tx *bbolt.Tx) error {
	for _, name := range buckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketMeta).Put(keyVersion, binary.BigEndian.AppendUint32(nil, layoutVersion))
}

// guard makes an error of a panic, and of a fault of memory: a damaged page leads bbolt astray.
func guard(err *error) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("%w: %v", errDamaged, value)
	}
}

// update runs a transaction that writes. When it returns nil, the changes are on disk.
func (f *file) update(fn func(*bbolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(&err)
	f.mu.RLock()
	defer f.mu.RUnlock()
	if err = f.db.Update(fn); errors.Is(err, berrors.ErrIncompatibleValue) { // a bucket is none, or the reverse
		err = fmt.Errorf("%w: %v", errDamaged, err)
	}
	return err
}

// read runs a transaction that reads.
func (f *file) read(fn func(*bbolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(&err)
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.db == nil {
		return berrors.ErrDatabaseNotOpen
	}
	return f.db.View(fn)
}

// present reports whether the file is still where it was opened.
func (f *file) present() bool {
	now, err := os.Stat(f.path)
	return err == nil && os.SameFile(f.is, now)
}

// rewrite copies what the file holds, without its free pages, to a new file in its place. It also
// brings back a file that somebody removed. A file that somebody else put there is kept under another
// name.
func (f *file) rewrite() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(&err)
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	temporary := f.path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fresh, err := openDB(temporary, false)
	if err != nil {
		return err
	}
	if err = f.copyTo(fresh); err == nil && !f.present() {
		err = f.makeWay()
	}
	if err == nil {
		err = os.Rename(temporary, f.path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(f.path))
	}
	if err != nil {
		fresh.Close()
		os.Remove(temporary)
		return err
	}
	f.mu.Lock()
	old := f.db
	f.db = fresh // its lock on the file came with it, so nobody could step in between
	f.is, err = os.Stat(f.path)
	f.mu.Unlock()
	old.Close()
	return err
}

// makeWay puts aside a file that somebody else put in our place, unless another agent uses it: two would
// do so for ever.
func (f *file) makeWay() error {
	if _, err := os.Lstat(f.path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	other, err := openDB(f.path, true)
	if errors.Is(err, ErrInUse) {
		return err
	}
	if err == nil {
		other.Close()
	}
	return putAside(f.path, "replaced")
}

func (f *file) copyTo(fresh *bbolt.DB) error {
	const transaction = 1 << 20
	f.mu.RLock()
	defer f.mu.RUnlock()
	fresh.NoSync = true // once, at the end
	if err := bbolt.Compact(fresh, f.db, transaction); err != nil {
		return err
	}
	fresh.NoSync = false
	return fresh.Sync()
}

// mostlyFree reports whether rewriting the file would be worth it.
func (f *file) mostlyFree() bool {
	const worthwhile = 4 << 20 // bytes
	size := int64(0)
	if err := f.read(func(tx *bbolt.Tx) error { size = tx.Size(); return nil }); err != nil || size < worthwhile {
		return false
	}
	stats := f.db.Stats()
	free := int64(stats.FreePageN+stats.PendingPageN) * int64(f.db.Info().PageSize)
	return free > size*3/4
}

func (f *file) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.db != nil {
		f.db.Close()
		f.db = nil
	}
}

// putAside renames a file, so that a new one can be begun and the old one be looked at. A file that is
// not there is no error.
func putAside(path, why string) error {
	stamp := time.Now().UTC().Format("20060102T150405")
	aside := fmt.Sprintf("%s.%s-%s", path, why, stamp)
	for i := 2; ; i++ {
		if _, err := os.Lstat(aside); errors.Is(err, os.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s.%s-%s-%d", path, why, stamp, i)
	}
	if err := os.Rename(path, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// syncDir makes names in a directory durable. Where directories cannot be synced there is nothing to do.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync() // Windows and some network file systems refuse; a rename there is durable or nothing is
	return nil
}
