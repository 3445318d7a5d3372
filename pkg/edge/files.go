package edge

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/handstamp/handstamp/pkg/byterange"
)

// Files is an origin of files, as S3 is one of objects: a path is the name of a
// file, there are no listings and no redirects, and what is not a regular file
// is not there. It has GET and HEAD, with conditions and ranges.
type Files struct {
	open   func(name string) (fs.File, error)
	root   *os.Root // nil for FS
	hashes sync.Map // name to ETag, for files without a time
}

// FS returns an origin that serves fsys, whose files must be io.Seekers; those
// of embed.FS are. A file without a modification time is taken to be immutable.
// For a directory use Folder: os.DirFS follows links to anywhere.
func FS(fsys fs.FS) *Files { return &Files{open: fsys.Open} }

// ServeHTTP answers with the file that r.URL.Path names.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		noFile(w, http.StatusMethodNotAllowed, "MethodNotAllowed")
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	file, info, err := f.regular(name)
	switch {
	case err == nil:
	case outOfResources(err):
		noFile(w, http.StatusServiceUnavailable, "SlowDown")
		return
	default:
		noFile(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	defer file.Close()
	f.serve(w, r, name, info, file)
}

// A seekableFile is what http.ServeContent can take ranges from.
type seekableFile interface {
	fs.File
	io.Seeker
}

// regular opens a file, and nothing that is not one.
func (f *Files) regular(name string) (seekableFile, fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, nil, fs.ErrInvalid
	}
	file, err := f.open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	seekable, ok := file.(seekableFile)
	if err == nil && (!ok || !info.Mode().IsRegular()) {
		err = fs.ErrInvalid
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return seekable, info, nil
}

func (f *Files) serve(w http.ResponseWriter, r *http.Request, name string, info fs.FileInfo, file seekableFile) {
	etag, err := f.etag(name, info, file)
	if err != nil {
		noFile(w, http.StatusServiceUnavailable, "SlowDown")
		return
	}
	h := w.Header()
	h.Set("Etag", etag)
	h.Set("Content-Type", contentType(name))
	h.Set("Accept-Ranges", "bytes")
	http.ServeContent(w, byterange.Request(r, info.Size()), "", info.ModTime(), file)
}

// etag returns a strong validator: of size and time, or of the content when
// there is no time.
func (f *Files) etag(name string, info fs.FileInfo, file seekableFile) (string, error) {
	if modified := info.ModTime(); !modified.IsZero() {
		tag := append(make([]byte, 0, 36), '"')
		tag = strconv.AppendInt(tag, modified.UnixNano(), 16)
		tag = append(tag, '-')
		tag = strconv.AppendInt(tag, info.Size(), 16)
		return string(append(tag, '"')), nil
	}
	if tag, ok := f.hashes.Load(name); ok {
		return tag.(string), nil
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	tag := `"` + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:18]) + `"`
	f.hashes.Store(name, tag)
	return tag, nil // http.ServeContent seeks before it reads
}

// noFile answers as S3 does.
func noFile(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code></Error>`)
}

// outOfResources tells "nobody knows whether there is such a file" from "there
// is none".
func outOfResources(err error) bool {
	for _, e := range [...]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO, fs.ErrClosed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
