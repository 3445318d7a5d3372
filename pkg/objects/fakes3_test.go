package objects_test

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A fakeS3 is one bucket that checks signatures as Amazon documents it, with
// code of its own: "Authenticating Requests: Using Query Parameters (AWS
// Signature Version 4)" and "POST Policy" in the Amazon S3 API Reference.
type fakeS3 struct {
	now     func() time.Time
	bucket  string
	region  string
	secrets map[string]string // by access key
	tokens  map[string]string // by access key; none for those that last
	ends    map[string]time.Time

	mu      sync.Mutex
	objects map[string]object
	calls   []string // "HEAD photos/x"
	fail    int      // status for all that is asked with a header; 0 means none
	code    string   // that goes with it; empty means "Failed"
	stuck   string   // objects whose keys have it cannot be deleted; empty means none
	hook    func(method, key string)
}

type object struct {
	body      []byte
	kind, sum string
	acl       string
	encoding  string
}

// A refusal is an error of S3: a status and a code.
type refusal struct {
	status int
	code   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.code) }

func refuse(status int, code string, detail ...any) error {
	return fmt.Errorf("%w %s", &refusal{status, code}, fmt.Sprint(detail...))
}

func (s *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := s.serve(w, r)
	if err == nil {
		return
	}
	status, code := http.StatusInternalServerError, "InternalError"
	if no, ok := unwrapRefusal(err); ok {
		status, code = no.status, no.code
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, err)
}

func unwrapRefusal(err error) (*refusal, bool) {
	for err != nil {
		if r, ok := err.(*refusal); ok {
			return r, true
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return nil, false
		}
		err = u.Unwrap()
	}
	return nil, false
}

func (s *fakeS3) serve(w http.ResponseWriter, r *http.Request) error {
	path, ok := strings.CutPrefix(r.URL.Path, "/"+s.bucket)
	if !ok {
		return refuse(404, "NoSuchBucket")
	}
	key := strings.TrimPrefix(path, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost && key == "" {
		return s.post(w, r)
	}
	if r.Header.Get("Authorization") == "" {
		if err := s.checkQuery(r); err != nil {
			return err
		}
	} else {
		s.calls = append(s.calls, r.Method+" "+key)
		if s.hook != nil {
			s.hook(r.Method, key)
		}
		if s.fail != 0 {
			return refuse(s.fail, cmp.Or(s.code, "Failed"))
		}
		if s.stuck != "" && r.Method == http.MethodDelete && strings.Contains(key, s.stuck) {
			return refuse(403, "AccessDenied", "the object is locked")
		}
		if err := s.checkHeader(r); err != nil {
			return err
		}
	}
	return s.do(w, r, key)
}

func (s *fakeS3) do(w http.ResponseWriter, r *http.Request, key string) error {
	o, there := s.objects[key]
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if !there {
			return refuse(404, "NoSuchKey")
		}
		h := w.Header()
		h.Set("Content-Type", o.kind)
		if o.encoding != "" {
			h.Set("Content-Encoding", o.encoding)
		}
		h.Set("Content-Length", strconv.Itoa(len(o.body)))
		h.Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(o.body))[:18])
		if o.sum != "" && r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED" {
			h.Set("X-Amz-Checksum-Sha256", o.sum)
		}
		for name, values := range r.URL.Query() {
			if header, ok := strings.CutPrefix(name, "response-"); ok {
				h.Set(header, values[0])
			}
		}
		if r.Method == http.MethodGet {
			_, _ = w.Write(o.body)
		}
	case http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPut:
		return s.put(r, key, there)
	default:
		return refuse(405, "MethodNotAllowed")
	}
	return nil
}

func (s *fakeS3) put(r *http.Request, key string, there bool) error {
	if there && r.Header.Get("If-None-Match") == "*" {
		return refuse(412, "PreconditionFailed")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	sum := r.Header.Get("X-Amz-Checksum-Sha256")
	if sum != "" && sum != checksum(body) {
		return refuse(400, "BadDigest")
	}
	s.objects[key] = object{body, r.Header.Get("Content-Type"), sum, r.Header.Get("X-Amz-Acl"), r.Header.Get("Content-Encoding")}
	return nil
}

func checksum(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// checkQuery checks a presigned URL.
func (s *fakeS3) checkQuery(r *http.Request) error {
	q := r.URL.Query()
	if q.Get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256" {
		return refuse(403, "AccessDenied", "anonymous")
	}
	at, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	if err != nil {
		return refuse(403, "AuthorizationQueryParametersError", err)
	}
	seconds, err := strconv.Atoi(q.Get("X-Amz-Expires"))
	if err != nil || seconds < 1 || seconds > 604800 {
		return refuse(403, "AuthorizationQueryParametersError", "expires")
	}
	now := s.now()
	if at.After(now) || !now.Before(at.Add(time.Duration(seconds)*time.Second)) {
		return refuse(403, "AccessDenied", "Request has expired")
	}
	id, scope, _ := strings.Cut(q.Get("X-Amz-Credential"), "/")
	if err := s.checkScope(id, scope, at, q.Get("X-Amz-Security-Token")); err != nil {
		return err
	}
	signature := q.Get("X-Amz-Signature")
	q.Del("X-Amz-Signature")
	return s.compare(r, id, scope, q, strings.Split(q.Get("X-Amz-SignedHeaders"), ";"), q.Get("X-Amz-Date"), "UNSIGNED-PAYLOAD", signature)
}

// checkHeader checks what the SDK asks. Its clock is the real one.
func (s *fakeS3) checkHeader(r *http.Request) error {
	fields := map[string]string{}
	rest, _ := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for part := range strings.SplitSeq(rest, ", ") {
		name, value, _ := strings.Cut(part, "=")
		fields[name] = value
	}
	id, scope, _ := strings.Cut(fields["Credential"], "/")
	return s.compare(r, id, scope, r.URL.Query(), strings.Split(fields["SignedHeaders"], ";"),
		r.Header.Get("X-Amz-Date"), r.Header.Get("X-Amz-Content-Sha256"), fields["Signature"])
}

func (s *fakeS3) checkScope(id, scope string, at time.Time, token string) error {
	if want := at.Format("20060102") + "/" + s.region + "/s3/aws4_request"; scope != want {
		return refuse(403, "AuthorizationQueryParametersError", "scope ", scope, " want ", want)
	}
	if _, known := s.secrets[id]; !known {
		return refuse(403, "InvalidAccessKeyId")
	}
	if token != s.tokens[id] {
		return refuse(403, "InvalidToken")
	}
	if end, ok := s.ends[id]; ok && !s.now().Before(end) {
		return refuse(403, "ExpiredToken")
	}
	return nil
}

// compare computes the signature of a request, and compares it.
func (s *fakeS3) compare(r *http.Request, id, scope string, q url.Values, signed []string, date, payload, signature string) error {
	if !slices.Contains(signed, "host") {
		return refuse(403, "AccessDenied", "host is not signed")
	}
	for name := range r.Header { // every x-amz header has to be signed
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") && !slices.Contains(signed, lower) {
			return refuse(403, "AccessDenied", "header not signed: ", name)
		}
	}
	var query []string
	for name, values := range q {
		for _, v := range values {
			query = append(query, uriEncode(name, true)+"="+uriEncode(v, true))
		}
	}
	slices.Sort(query)
	var headers strings.Builder
	for _, name := range signed {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.TrimSpace(value))
	}
	canonical := strings.Join([]string{r.Method, uriEncode(r.URL.Path, false), strings.Join(query, "&"), headers.String(), strings.Join(signed, ";"), payload}, "\n")
	hash := sha256.Sum256([]byte(canonical))
	text := "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + hex.EncodeToString(hash[:])
	if want := s.sign(id, scope, text); !hmac.Equal([]byte(want), []byte(signature)) {
		return refuse(403, "SignatureDoesNotMatch")
	}
	return nil
}

func (s *fakeS3) sign(id, scope, text string) string {
	sum := func(key []byte, text string) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	key := []byte("AWS4" + s.secrets[id])
	for part := range strings.SplitSeq(scope, "/") {
		key = sum(key, part)
	}
	return hex.EncodeToString(sum(key, text))
}

// uriEncode is UriEncode of the documentation.
func uriEncode(s string, slash bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", rune(c)) || c == '/' && !slash {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// post takes an upload by a form.
func (s *fakeS3) post(w http.ResponseWriter, r *http.Request) error {
	fields, body, err := readForm(r)
	if err != nil {
		return refuse(400, "MalformedPOSTRequest", err)
	}
	text, err := base64.StdEncoding.DecodeString(fields["policy"])
	if err != nil || len(text) == 0 {
		return refuse(403, "AccessDenied", "no policy")
	}
	at, err := time.Parse("20060102T150405Z", fields["x-amz-date"])
	if err != nil {
		return refuse(400, "InvalidArgument", err)
	}
	id, scope, _ := strings.Cut(fields["x-amz-credential"], "/")
	if err := s.checkScope(id, scope, at, fields["x-amz-security-token"]); err != nil {
		return err
	}
	if s.sign(id, scope, fields["policy"]) != fields["x-amz-signature"] {
		return refuse(403, "SignatureDoesNotMatch")
	}
	if err := s.checkPolicy(text, fields, len(body)); err != nil {
		return err
	}
	sum := fields["x-amz-checksum-sha256"]
	if sum != "" && sum != checksum(body) {
		return refuse(400, "BadDigest")
	}
	s.objects[fields["key"]] = object{body, fields["content-type"], sum, fields["acl"], fields["content-encoding"]}
	status, _ := strconv.Atoi(fields["success_action_status"])
	w.WriteHeader(status)
	return nil
}

// readForm returns the fields, by name in lower case, and the file.
func readForm(r *http.Request) (map[string]string, []byte, error) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, nil, err
	}
	fields := map[string]string{}
	for parts := multipart.NewReader(r.Body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if err != nil {
			return nil, nil, err
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, err
		}
		if part.FormName() == "file" {
			return fields, value, nil
		}
		fields[strings.ToLower(part.FormName())] = string(value)
	}
}

func (s *fakeS3) checkPolicy(text []byte, fields map[string]string, size int) error {
	var policy struct {
		Expiration time.Time `json:"expiration"`
		Conditions []any     `json:"conditions"`
	}
	if err := json.Unmarshal(text, &policy); err != nil {
		return refuse(400, "InvalidPolicyDocument", err)
	}
	if !s.now().Before(policy.Expiration) {
		return refuse(403, "AccessDenied", "Policy expired")
	}
	given := map[string]string{"bucket": s.bucket}
	for name, value := range fields {
		if name != "policy" && name != "x-amz-signature" && name != "file" && !strings.HasPrefix(name, "x-ignore-") {
			given[name] = value
		}
	}
	covered := map[string]bool{"bucket": true}
	for _, c := range policy.Conditions {
		name, ok := condition(c, given, size)
		if !ok {
			return refuse(403, "AccessDenied", "Policy Condition failed: ", c)
		}
		covered[name] = true
	}
	for name := range given {
		if !covered[name] {
			return refuse(403, "AccessDenied", "Extra input fields: ", name)
		}
	}
	return nil
}

// condition returns the field that a condition is about, and whether it holds.
func condition(c any, given map[string]string, size int) (string, bool) {
	switch c := c.(type) {
	case map[string]any:
		for name, value := range c {
			return strings.ToLower(name), given[strings.ToLower(name)] == value
		}
	case []any:
		if c[0] == "content-length-range" {
			return "", float64(size) >= c[1].(float64) && float64(size) <= c[2].(float64)
		}
		name, value := strings.ToLower(strings.TrimPrefix(c[1].(string), "$")), c[2].(string)
		if c[0] == "starts-with" {
			return name, strings.HasPrefix(given[name], value)
		}
		return name, c[0] == "eq" && given[name] == value
	}
	return "", false
}

// formBody returns a multipart body of fields and a file.
func formBody(fields map[string]string, file []byte) (contentType string, body io.Reader) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range fields {
		_ = w.WriteField(name, value)
	}
	part, _ := w.CreateFormFile("file", "x")
	_, _ = part.Write(file)
	_ = w.Close()
	return w.FormDataContentType(), &b
}
