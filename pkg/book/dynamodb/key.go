package dynamodb

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"

	"github.com/handstamp/handstamp/pkg/gate"
)

// copies is how many items an attraction's closings are written to, and shards
// over how many partitions of the index a list is spread. One partition takes
// 3,000 consistent reads or 1,000 writes a second.
const (
	copies = 16
	shards = 16
)

// The keys of all items; doc.go says what they hold.

func ticketKey(ticket string) key          { return key{"T#" + ticket, "ticket"} }
func recordKey(ticket string) key          { return key{"T#" + ticket, "record"} }
func batchKey(ticket string) key           { return key{"T#" + ticket, "batch"} }
func soldKey(ticket, place string) key     { return key{"T#" + ticket, "place#" + place} }
func requestKey(ticket string, k hash) key { return key{"T#" + ticket, "request#" + k.String()} }
func sessionKey(s gate.SessionHash) key    { return key{"S#" + hash(s).String(), "session"} }
func admissionKey(id string) key           { return key{"A#" + id, "admission"} }
func placeKey(id, place string) key        { return key{"A#" + id, "place#" + place} }
func deviceKey(id string) key              { return key{"D#" + id, "device"} }
func idKey(id string) key                  { return key{"I#" + id, "id"} }
func importKey(name string) key            { return key{"X#" + name, "import"} }
func closingKey(place string, i int) key   { return key{fmt.Sprintf("E#%d#%s", i, place), "closings"} }
func revocationKey(at, id string) key      { return key{revocations, at + "#" + id} }
func eventKey(seq int64) key               { return key{eventPage(seq), fmt.Sprintf("%019d", seq)} }

// The partitions that have more than one item.
const revocations = "V"

// headKey is that of the audit's end.
var headKey = key{"L", "head"}

// pageSize is how many events of the audit share a partition.
const pageSize = 100

func eventPage(seq int64) string { return fmt.Sprintf("L#%d", (seq-1)/pageSize) }

// The lists.
const (
	listAdmissions = "admissions"
	listRecords    = "records"
)

func listPlace(place string) string { return "visits#" + place } // admissions that ever opened it
func listDevices(id string) string  { return "devices#" + id }   // of an admission
func listSold(place string) string  { return "sold#" + place }   // records that open it
func listBatch(batch string) string { return "batch#" + batch }  // records

// shard returns the partition of a list that an item belongs to.
func shard(list, id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return shardAt(list, int(h.Sum32()%shards))
}

func shardAt(list string, i int) string { return fmt.Sprintf("%s#%d", list, i) }

// A hash is a session's, a request's or a ticket's, spelled for an item.
type hash [32]byte

func (h hash) String() string               { return base64.RawURLEncoding.EncodeToString(h[:]) }
func (h hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

func (h *hash) UnmarshalText(text []byte) error {
	if n := base64.RawURLEncoding.DecodedLen(len(text)); n != len(h) {
		return fmt.Errorf("%d bytes, want %d", n, len(h))
	}
	_, err := base64.RawURLEncoding.Strict().Decode(h[:], text)
	return err
}

// spell returns a ticket as items name it.
func spell(t gate.Fingerprint) string { return hash(t).String() }
