package objects

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/handstamp/handstamp/pkg/book"
)

// A form is what is signed for an upload by POST: a policy that pins every field,
// and the size. The SDK signs such policies by its own clock only. See Amazon S3
// API Reference, "Browser-Based Uploads Using POST (AWS Signature Version 4)".
type form struct {
	fields   map[string]string
	min, max int64 // size in bytes
}

// form returns the fields of an upload; size is 0 if it is not known.
func (d *Desk) form(f *book.File, size int64) form {
	fields := map[string]string{
		"key":                   f.Key,
		"Content-Type":          f.Type,
		"success_action_status": "204",
	}
	if f.SHA256 != "" {
		fields["x-amz-checksum-algorithm"] = "SHA256"
		fields["x-amz-checksum-sha256"] = f.SHA256
	}
	if f.Public && d.opts.ACLs {
		fields["acl"] = "public-read"
	}
	return form{fields: fields, min: max(size, 1), max: f.Size}
}

// formURL returns where forms are sent.
func (s *signer) formURL() string { return strings.TrimSuffix(s.root.String(), "/") }

// form returns all fields to send, with the policy and its signature.
func (s *signer) form(creds aws.Credentials, f form, at, ends time.Time) (map[string]string, error) {
	at = at.UTC()
	date := at.Format("20060102")
	scope := strings.Join([]string{date, s.region, s.service, "aws4_request"}, "/")
	fields := maps.Clone(f.fields)
	fields["X-Amz-Algorithm"] = "AWS4-HMAC-SHA256"
	fields["X-Amz-Credential"] = creds.AccessKeyID + "/" + scope
	fields["X-Amz-Date"] = at.Format("20060102T150405Z")
	if creds.SessionToken != "" {
		fields["X-Amz-Security-Token"] = creds.SessionToken
	}
	conditions := []any{map[string]string{"bucket": s.bucket}, []any{"content-length-range", f.min, f.max}}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		conditions = append(conditions, []string{"eq", "$" + name, fields[name]})
	}
	text, err := json.Marshal(map[string]any{"expiration": ends.UTC().Format("2006-01-02T15:04:05.000Z"), "conditions": conditions})
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	fields["policy"] = base64.StdEncoding.EncodeToString(text)
	key := []byte("AWS4" + creds.SecretAccessKey)
	for _, part := range []string{date, s.region, s.service, "aws4_request", fields["policy"]} {
		key = hmacSHA256(key, part)
	}
	fields["X-Amz-Signature"] = hex.EncodeToString(key)
	return fields, nil
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
