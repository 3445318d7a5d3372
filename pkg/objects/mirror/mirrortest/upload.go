package mirrortest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// minPart is what all parts but the last must have, in bytes.
const minPart = 5 << 20

// An upload is an object on its way in parts.
type upload struct {
	key    string
	object Object
	began  time.Time
	sha256 bool
	parts  map[int][]byte
}

// Begin begins an upload in parts and sends none, as another program would.
func (b *Bucket) Begin(key string, sha256 bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begin(upload{key: key, sha256: sha256})
}

// begin returns the id of an upload, which is younger than those before.
func (b *Bucket) begin(u upload) (id string) {
	if b.uploads == nil {
		b.uploads = map[string]*upload{}
	}
	b.begun++
	u.began, u.parts = began.Add(time.Duration(b.begun)*time.Second), map[int][]byte{}
	id = fmt.Sprintf("upload-%d", b.begun)
	b.uploads[id] = &u
	return id
}

func (b *Bucket) create(w http.ResponseWriter, r *http.Request, key string) {
	id := b.begin(upload{key: key, sha256: r.Header.Get("X-Amz-Checksum-Algorithm") == "SHA256",
		object: Object{Type: r.Header.Get("Content-Type"), Cache: r.Header.Get("Cache-Control"), Metadata: metadata(r.Header)}})
	b.log = append(b.log, "CREATE "+key)
	answer(w, struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		UploadID string   `xml:"UploadId"`
	}{UploadID: id})
}

func (b *Bucket) putPart(w http.ResponseWriter, id, number string, body []byte) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		refuse(w, http.StatusBadRequest, "InvalidArgument")
		return
	}
	b.uploads[id].parts[n] = body
	b.log = append(b.log, fmt.Sprintf("PART %d %s", n, b.uploads[id].key))
	b.say(w.Header(), sum(body))
	w.Header().Set("Etag", etag(body))
}

func sum(body []byte) string {
	raw := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(raw[:])
}

type part struct {
	PartNumber     int
	ETag           string
	Size           int
	ChecksumSHA256 string `xml:",omitempty"`
}

func (b *Bucket) listParts(w http.ResponseWriter, id, after string) {
	marker, _ := strconv.Atoi(after)
	var l struct {
		XMLName              xml.Name `xml:"ListPartsResult"`
		IsTruncated          bool
		NextPartNumberMarker int
		Part                 []part
	}
	u := b.uploads[id]
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		if n <= marker {
			continue
		}
		if len(l.Part) == page {
			l.IsTruncated, l.NextPartNumberMarker = true, l.Part[page-1].PartNumber
			break
		}
		p := part{PartNumber: n, ETag: etag(u.parts[n]), Size: len(u.parts[n])}
		if u.sha256 && !b.NoChecksums {
			p.ChecksumSHA256 = sum(u.parts[n])
		}
		l.Part = append(l.Part, p)
	}
	answer(w, l)
}

func (b *Bucket) listUploads(w http.ResponseWriter, prefix string) {
	type one struct {
		Key, UploadId     string
		Initiated         string
		ChecksumAlgorithm string `xml:",omitempty"`
	}
	var l struct {
		XMLName xml.Name `xml:"ListMultipartUploadsResult"`
		Upload  []one
	}
	for _, id := range slices.Sorted(maps.Keys(b.uploads)) {
		u := b.uploads[id]
		if !strings.HasPrefix(u.key, prefix) {
			continue
		}
		o := one{Key: u.key, UploadId: id, Initiated: u.began.Format(time.RFC3339)}
		if u.sha256 {
			o.ChecksumAlgorithm = "SHA256"
		}
		l.Upload = append(l.Upload, o)
	}
	answer(w, l)
}

// complete makes an object of the parts that are asked for, in this order.
func (b *Bucket) complete(w http.ResponseWriter, id string, body []byte) {
	var in struct{ Part []part }
	if err := xml.Unmarshal(body, &in); err != nil {
		refuse(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	u := b.uploads[id]
	o := u.object
	sums := sha256.New()
	for i, p := range in.Part {
		have := u.parts[p.PartNumber]
		switch {
		case have == nil || p.ETag != etag(have) || p.ChecksumSHA256 != sum(have):
			refuse(w, http.StatusBadRequest, "InvalidPart")
			return
		case i > 0 && p.PartNumber <= in.Part[i-1].PartNumber:
			refuse(w, http.StatusBadRequest, "InvalidPartOrder")
			return
		case i < len(in.Part)-1 && len(have) < minPart:
			refuse(w, http.StatusBadRequest, "EntityTooSmall")
			return
		}
		o.Body = append(o.Body, have...)
		raw := sha256.Sum256(have)
		sums.Write(raw[:])
	}
	o.Sum = fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(sums.Sum(nil)), len(in.Part))
	b.set(u.key, o)
	delete(b.uploads, id)
	b.log = append(b.log, "PUT "+u.key)
	var said string
	if !b.NoChecksums {
		said = o.Sum
	}
	answer(w, struct {
		XMLName        xml.Name `xml:"CompleteMultipartUploadResult"`
		Key            string
		ChecksumSHA256 string `xml:",omitempty"`
	}{Key: u.key, ChecksumSHA256: said})
}
