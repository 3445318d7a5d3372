package sqlite_test

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	engine "modernc.org/sqlite/lib"
)

// A disk stands below SQLite, between it and the operating system, for one
// folder. It writes down every write, truncation and sync in the order in
// which they were made, and can refuse them. The shared memory of the log's
// index is not a file that outlives the machine, and is left out.
type disk struct {
	mu     sync.Mutex
	events []diskEvent
	full   bool // writes fail
	syncs  int
}

// A diskEvent is a write, a truncation (data nil, at the new size), a sync
// that covers all events of the file before a place, a deletion, or a note of
// the test's.
type diskEvent struct {
	file    string
	data    []byte
	at      int64
	sync    bool
	covers  int
	deleted bool
	note    any
}

const diskName = "handstamp-test-disk"

// disks is the one place that C's function pointers can reach.
var disks struct {
	sync.Mutex
	once    sync.Once
	vfs     *engine.Tsqlite3_vfs // in C's memory, as all that C links together
	inner   *engine.Tsqlite3_vfs
	folders map[string]*disk
	files   map[uintptr]diskFile
	methods map[uintptr]uintptr // by those they wrap
}

type diskFile struct {
	*disk // nil if nobody watches
	name  string
	inner *engine.Tsqlite3_io_methods
}

// newDisk watches the files in folder that are opened through diskName.
func newDisk(t *testing.T, folder string) *disk {
	t.Helper()
	disks.once.Do(registerDisk)
	d := &disk{}
	disks.Lock()
	defer disks.Unlock()
	disks.folders[folder] = d
	return d
}

func registerDisk() {
	tls := libc.NewTLS()
	defer tls.Close()
	disks.folders, disks.files = map[string]*disk{}, map[uintptr]diskFile{}
	disks.methods = map[uintptr]uintptr{}
	disks.inner = at[engine.Tsqlite3_vfs](engine.Xsqlite3_vfs_find(tls, 0))
	address := clone(tls, disks.inner)
	name, err := libc.CString(diskName)
	if err != nil {
		panic(err)
	}
	disks.vfs = at[engine.Tsqlite3_vfs](address)
	disks.vfs.FzName, disks.vfs.FpNext = name, 0
	disks.vfs.FxOpen, disks.vfs.FxDelete = pointer(diskOpen), pointer(diskDelete)
	engine.Xsqlite3_vfs_register(tls, address, 0)
}

// clone copies a value into C's memory and returns the address.
func clone[T any](tls *libc.TLS, value *T) uintptr {
	address := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(*value)))
	*at[T](address) = *value
	return address
}

// at is the value that C has at an address; it is not in Go's memory.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// pointer is a C pointer to a function, and function what it points to.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }
func function[F any](p uintptr) F {
	return *(*F)(unsafe.Pointer(&struct{ p uintptr }{p}))
}

func diskOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	type open = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	rc := function[open](disks.inner.FxOpen)(tls, vfs, name, file, flags, out)
	if rc != engine.SQLITE_OK {
		return rc
	}
	disks.Lock()
	defer disks.Unlock()
	f := at[engine.Tsqlite3_file](file)
	path := ""
	if name != 0 {
		path = libc.GoString(name)
	}
	inner := f.FpMethods
	wrapped := disks.methods[inner]
	if wrapped == 0 {
		wrapped = clone(tls, at[engine.Tsqlite3_io_methods](inner))
		m := at[engine.Tsqlite3_io_methods](wrapped)
		m.FxWrite, m.FxTruncate, m.FxSync = pointer(diskWrite), pointer(diskTruncate), pointer(diskSync)
		disks.methods[inner] = wrapped
	}
	f.FpMethods = wrapped
	disks.files[file] = diskFile{disks.folders[filepath.Dir(path)], filepath.Base(path), at[engine.Tsqlite3_io_methods](inner)}
	return rc
}

func diskDelete(tls *libc.TLS, vfs, name uintptr, sync int32) int32 {
	rc := function[func(*libc.TLS, uintptr, uintptr, int32) int32](disks.inner.FxDelete)(tls, vfs, name, sync)
	if rc == engine.SQLITE_OK {
		path := libc.GoString(name)
		disks.Lock()
		d := disks.folders[filepath.Dir(path)]
		disks.Unlock()
		d.note(diskEvent{file: filepath.Base(path), deleted: true})
	}
	return rc
}

func fileOf(file uintptr) diskFile {
	disks.Lock()
	defer disks.Unlock()
	return disks.files[file]
}

func diskWrite(tls *libc.TLS, file, from uintptr, n int32, offset int64) int32 {
	f := fileOf(file)
	if f.disk != nil && f.refuses() {
		return engine.SQLITE_FULL
	}
	rc := function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.inner.FxWrite)(tls, file, from, n, offset)
	if rc == engine.SQLITE_OK {
		f.note(diskEvent{file: f.name, data: slices.Clone(unsafe.Slice(at[byte](from), n)), at: offset})
	}
	return rc
}

func diskTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	f := fileOf(file)
	rc := function[func(*libc.TLS, uintptr, int64) int32](f.inner.FxTruncate)(tls, file, size)
	if rc == engine.SQLITE_OK {
		f.note(diskEvent{file: f.name, at: size})
	}
	return rc
}

func diskSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	f := fileOf(file)
	covers := 0
	if f.disk != nil {
		f.mu.Lock()
		covers = len(f.events)
		f.mu.Unlock()
	}
	rc := function[func(*libc.TLS, uintptr, int32) int32](f.inner.FxSync)(tls, file, flags)
	if rc == engine.SQLITE_OK {
		f.note(diskEvent{file: f.name, sync: true, covers: covers})
	}
	return rc
}

// note writes an event down.
func (d *disk) note(e diskEvent) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
	if e.sync && strings.HasSuffix(e.file, "-wal") {
		d.syncs++
	}
}

func (d *disk) refuses() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.full
}

func (d *disk) fill(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

// logSyncs is how often the log was synced.
func (d *disk) logSyncs() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.syncs
}
