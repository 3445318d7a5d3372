package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
)

var methods = []string{"get", "head", "post", "put", "patch", "delete", "options", "trace"}

// documented lists "METHOD /path" for every operation of openapi.yaml.
func documented() (list []string) {
	for path := range at(document(), "paths") {
		for _, method := range documentedMethods(path) {
			list = append(list, method+" "+path)
		}
	}
	slices.Sort(list)
	return list
}

func documentedMethods(path string) (list []string) {
	for _, method := range methods {
		if at(document(), "paths", path, method) != nil {
			list = append(list, strings.ToUpper(method))
		}
	}
	return list
}

func TestDocumentAndRouterAgree(t *testing.T) {
	s := newSite(t)
	var routed []string
	err := s.api.Routes().Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := route.GetPathTemplate()
		if err != nil {
			return err
		}
		path = strings.ReplaceAll(path, ":.+/.+}", "}") // the document has no patterns
		methods, err := route.GetMethods()
		for _, method := range methods {
			routed = append(routed, method+" "+path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(routed)
	if want := documented(); !slices.Equal(routed, want) {
		t.Errorf("routes\n  %s\nopenapi.yaml\n  %s", strings.Join(routed, "\n  "), strings.Join(want, "\n  "))
	}
}

// each calls f for every node of the document.
func each(v any, where string, f func(where string, o object)) {
	switch v := v.(type) {
	case object:
		f(where, v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			each(v[key], where+"/"+key, f)
		}
	case []any:
		for i, item := range v {
			each(item, where+"/"+strconv.Itoa(i), f)
		}
	}
}

func TestDocumentIsSound(t *testing.T) {
	used := map[string]bool{}
	operations := map[any]string{}
	each(document(), "#", func(where string, o object) {
		if ref, ok := o["$ref"].(string); ok {
			used[ref] = true
			if resolve(o) == nil || len(o) != 1 {
				t.Errorf("%s: %s leads nowhere, or has something beside it", where, ref)
			}
		}
		if o["type"] == "object" && o["additionalProperties"] == nil {
			t.Errorf("%s: an object without additionalProperties", where)
		}
		if id, ok := o["operationId"]; ok {
			if operations[id] != "" {
				t.Errorf("%s and %s are both %s", where, operations[id], id)
			}
			operations[id] = where
			if o["security"] == nil || o["summary"] == nil || o["responses"] == nil {
				t.Errorf("%s: want security, summary and responses", where)
			}
		}
	})
	for _, kind := range []string{"schemas", "responses", "headers", "parameters"} {
		for name := range at(document(), "components", kind) {
			// The 405 belongs to no operation.
			if ref := "#/components/" + kind + "/" + name; !used[ref] && name != "MethodNotAllowed" {
				t.Errorf("%s is not used", ref)
			}
		}
	}
}

func TestExamplesFitTheirSchemas(t *testing.T) {
	seen := 0
	each(document(), "#", func(where string, o object) {
		examples, ok := o["examples"].(object)
		if !ok {
			return
		}
		for name, example := range examples {
			text, err := json.Marshal(example.(object)["value"])
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range validate(o["schema"].(object), decodeJSON(t, text), name) {
				t.Errorf("%s: %s", where, problem)
			}
			seen++
		}
	})
	if seen < 15 {
		t.Errorf("found %d examples, want all", seen)
	}
}

// The server reads the request examples, and refuses what the schema refuses.
func TestRequestExamplesAreRead(t *testing.T) {
	content := at(document(), "paths", "/v1/tickets/verify", "post", "requestBody", "content", "application/json")
	for name, example := range at(content, "examples") {
		text, err := json.Marshal(example.(object)["value"])
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, _, err := httpapi.DecodeVerify(text); err != nil {
			t.Errorf("example %q: %v", name, err)
		}
	}
}

// codes is the table of the document: code to status.
func codes() map[string]int {
	table := map[string]int{}
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([0-9]{3}) \\| ")
	for _, m := range row.FindAllStringSubmatch(at(document(), "info")["description"].(string), -1) {
		table[m[1]], _ = strconv.Atoi(m[2])
	}
	return table
}

func TestCodesTable(t *testing.T) {
	var listed []string
	for _, code := range at(document(), "components", "schemas", "Code")["enum"].([]any) {
		listed = append(listed, code.(string))
	}
	slices.Sort(listed)
	if got := slices.Sorted(maps.Keys(codes())); !slices.Equal(got, listed) {
		t.Errorf("the table has %v, the schema %v", got, listed)
	}
}

// The reasons of the document are gate's, without those that have codes of
// their own or would tell guessers something.
func TestReasons(t *testing.T) {
	hidden := []gate.Reason{gate.ReasonUnknown, gate.ReasonMalformed, gate.ReasonNoSession}
	var want []string
	for _, r := range reasons(t) {
		if !slices.Contains(hidden, r) {
			want = append(want, string(r))
		}
	}
	var got []string
	for _, r := range at(document(), "components", "schemas", "Reason")["enum"].([]any) {
		got = append(got, r.(string))
	}
	if !slices.Equal(got, want) {
		t.Errorf("reasons of the document %v, want %v", got, want)
	}
}

// template finds the documented path that a request's path falls under.
func template(path string) (string, object) {
	if item := at(document(), "paths", path); item != nil {
		return path, item
	}
	for name, item := range at(document(), "paths") {
		pattern := "^" + strings.NewReplacer(`\{id\}`, "[^/]+", `\{key\}`, ".+/.+").Replace(regexp.QuoteMeta(name)) + "$"
		if regexp.MustCompile(pattern).MatchString(path) {
			return name, item.(object)
		}
	}
	return "", nil
}

// shared are the responses that belong to no operation.
var shared = map[int]string{400: "BadRequest", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 421: "Misdirected", 500: "Internal"}

// checkContract holds a reply against the document: a status that is listed for
// the operation, its headers, its content type, and a body that fits the schema.
func checkContract(t *testing.T, method, path string, r *reply) {
	t.Helper()
	where := fmt.Sprintf("%s %.60q = %d", method, path, r.status)
	checkHeaders(t, where, r)
	name, item := template(path)
	operation := at(item, strings.ToLower(method))
	if method != strings.ToUpper(method) {
		operation = nil // methods have one case
	}
	response := at(operation, "responses", strconv.Itoa(r.status))
	if response == nil && (operation == nil || r.status == 400) {
		response = at(document(), "components", "responses", shared[r.status])
	}
	if method == http.MethodOptions && r.status == http.StatusNoContent {
		response = object{} // a preflight
	}
	if response == nil {
		t.Errorf("%s is not in the document at %q", where, name)
		return
	}
	for header := range at(response, "headers") {
		if h := at(response, "headers", header); h["required"] == true || r.header.Get(header) != "" {
			for _, problem := range validate(at(h, "schema"), r.header.Get(header), where+" header "+header) {
				t.Error(problem)
			}
			if r.header.Get(header) == "" {
				t.Errorf("%s has no %s", where, header)
			}
		}
	}
	checkBody(t, where, method, response, r)
}

func checkBody(t *testing.T, where, method string, response object, r *reply) {
	t.Helper()
	content := at(response, "content")
	if method == http.MethodHead || content == nil {
		if len(r.body) > 0 {
			t.Errorf("%s has a body of %d bytes, want none", where, len(r.body))
		}
		return
	}
	kind := r.header.Get("Content-Type")
	schema := at(content, kind, "schema")
	switch {
	case schema == nil:
		t.Errorf("%s is %q, which is not in the document", where, kind)
	case kind == "application/yaml", strings.HasPrefix(kind, "text/html"):
	default:
		for _, problem := range validate(schema, decodeJSON(t, r.body), where) {
			t.Errorf("%s\n%s", problem, r.body)
		}
	}
	if kind == "application/problem+json" {
		checkProblem(t, where, r)
	}
}

func checkProblem(t *testing.T, where string, r *reply) {
	t.Helper()
	p := r.problem(t)
	if p.Status != r.status || codes()[p.Code] != r.status || p.Type != "urn:handstamp:problem:"+p.Code || p.RequestID != r.header.Get("X-Request-Id") {
		t.Errorf("%s does not agree with itself: %s", where, r.body)
	}
	if p.Reason != "" && p.Code != "ticket_not_accepted" && p.Code != "session_required" {
		t.Errorf("%s gives a reason: %s", where, r.body)
	}
	others := slices.DeleteFunc(slices.Clone(r.cookies), func(c *http.Cookie) bool { return c.Name == deviceName })
	if r.status >= 500 && len(others) > 0 {
		t.Errorf("%s sets cookies: %v", where, others)
	}
}

// checkHeaders is for every reply there is, mux's own 404 and 405 included.
func checkHeaders(t *testing.T, where string, r *reply) {
	t.Helper()
	for header, want := range map[string]string{
		"Cache-Control":             "no-store",
		"X-Content-Type-Options":    "nosniff",
		"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'",
		"Referrer-Policy":           "no-referrer",
		"Strict-Transport-Security": "max-age=31536000",
	} {
		if header == "Content-Security-Policy" && strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			want = r.header.Get(header) // TestDocs looks at that of the page
		}
		if got := r.header.Values(header); len(got) != 1 || got[0] != want {
			t.Errorf("%s has %s %q, want %q", where, header, got, want)
		}
	}
	if vary := r.header.Values("Vary"); !slices.Equal(vary, []string{"Origin", "Sec-Fetch-Site"}) {
		t.Errorf("%s varies by %q, want Origin and Sec-Fetch-Site", where, vary)
	}
	if id := r.header.Values("X-Request-Id"); len(id) != 1 || len(id[0]) != 26 {
		t.Errorf("%s has the request ID %q, want one of 26 characters", where, id)
	}
	for _, header := range []string{"Location", "Etag", "Last-Modified", "Expires", "Age"} {
		if got := r.header.Get(header); got != "" {
			t.Errorf("%s has %s %q, want none", where, header, got)
		}
	}
}
