package admin_test

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
)

var methods = []string{"get", "head", "post", "put", "patch", "delete", "options", "trace"}

// documented lists "METHOD /path" for every operation of openapi.yaml.
func documented() (list []string) {
	for path := range at(document(), "paths") {
		for _, method := range methods {
			if at(document(), "paths", path, method) != nil {
				list = append(list, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(list)
	return list
}

func TestDocumentAndRouterAgree(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var routed []string
	err := s.admin.Routes().Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := route.GetPathTemplate()
		if err != nil {
			return err
		}
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
	t.Parallel()
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
	for _, kind := range []string{"schemas", "responses", "headers", "parameters", "requestBodies"} {
		for name := range at(document(), "components", kind) {
			// The 405 belongs to no operation.
			if ref := "#/components/" + kind + "/" + name; !used[ref] && name != "MethodNotAllowed" {
				t.Errorf("%s is not used", ref)
			}
		}
	}
}

func TestExamplesFitTheirSchemas(t *testing.T) {
	t.Parallel()
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
	if seen < 8 {
		t.Errorf("found %d examples, want all", seen)
	}
}

// The validator finds what is wrong, or the tests above find nothing.
func TestValidator(t *testing.T) {
	t.Parallel()
	schemas := at(document(), "components", "schemas")
	good := `{"revoked":true,"affected":1,"exposure_seconds":960,"exposure_ends_at":"2026-07-01T12:16:00Z"}`
	if problems := validate(schemas["Revocation"].(object), decodeJSON(t, []byte(good)), "good"); len(problems) != 0 {
		t.Error(problems)
	}
	for _, change := range [][2]string{{`"affected":1,`, ``}, {`true`, `"true"`}, {`960`, `-1`}, {`960`, `0.5`}, {`12:16`, `noon`}, {`"affected"`, `"code":"x","affected"`}, {`1`, `null`}} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if problems := validate(schemas["Revocation"].(object), decodeJSON(t, []byte(bad)), "bad"); len(problems) == 0 {
			t.Errorf("%s fits", bad)
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
	t.Parallel()
	var listed []string
	for _, code := range at(document(), "components", "schemas", "ProblemCode")["enum"].([]any) {
		listed = append(listed, code.(string))
	}
	slices.Sort(listed)
	if got := slices.Sorted(maps.Keys(codes())); !slices.Equal(got, listed) {
		t.Errorf("the table has %v, the schema %v", got, listed)
	}
}

// template finds the documented path that a request's path falls under; one
// that is spelled out goes before one with a parameter.
func template(path string) object {
	paths := at(document(), "paths")
	if item, ok := paths[path].(object); ok {
		return item
	}
	for name, item := range paths {
		pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(name), `\{id\}`, "[^/]+") + "$"
		if regexp.MustCompile(pattern).MatchString(path) {
			return item.(object)
		}
	}
	return nil
}

// shared are the responses that belong to no operation.
var shared = map[int]string{400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 421: "Misdirected", 429: "LockedOut", 500: "Internal"}

// checkContract holds a reply against the document: a status that is listed for
// the operation, its headers, its content type, and a body that fits the schema.
func checkContract(t *testing.T, method, path string, r *reply) {
	t.Helper()
	where := fmt.Sprintf("%s %.60q = %d", method, path, r.status)
	checkHeaders(t, where, r)
	operation := at(template(path), strings.ToLower(method))
	response := at(operation, "responses", strconv.Itoa(r.status))
	if response == nil && (operation == nil || r.status == 400) {
		response = at(document(), "components", "responses", shared[r.status])
	}
	if method == http.MethodOptions && r.status == http.StatusNoContent {
		response = object{} // a preflight
	}
	if response == nil {
		t.Errorf("%s is not in the document: %s", where, r.body)
		return
	}
	for name := range at(response, "headers") {
		for _, problem := range validate(at(response, "headers", name, "schema"), r.header.Get(name), where+" header "+name) {
			t.Error(problem)
		}
	}
	checkBody(t, where, response, r)
}

func checkBody(t *testing.T, where string, response object, r *reply) {
	t.Helper()
	content := at(response, "content")
	if content == nil {
		return
	}
	kind := r.header.Get("Content-Type")
	schema := at(content, kind, "schema")
	switch {
	case schema == nil:
		t.Errorf("%s is %q, which is not in the document", where, kind)
	case strings.HasSuffix(kind, "json"):
		for _, problem := range validate(schema, decodeJSON(t, r.body), where) {
			t.Errorf("%s\n%s", problem, r.body)
		}
	}
	if kind != "application/problem+json" {
		return
	}
	p := r.problem(t)
	if p.Status != r.status || codes()[p.Code] != r.status || p.Type != "urn:handstamp:problem:"+p.Code || p.RequestID != r.header.Get("X-Request-Id") {
		t.Errorf("%s does not agree with itself: %s", where, r.body)
	}
}

// checkHeaders is for every reply there is, mux's own 404 and 405 included.
func checkHeaders(t *testing.T, where string, r *reply) {
	t.Helper()
	for header, want := range map[string]string{
		"Cache-Control":           "no-store",
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
		"Referrer-Policy":         "no-referrer",
		"Vary":                    "Origin, Sec-Fetch-Site, Accept, Authorization",
	} {
		if got := r.header.Values(header); len(got) != 1 || got[0] != want {
			t.Errorf("%s has %s %q, want %q", where, header, got, want)
		}
	}
	if id := r.header.Values("X-Request-Id"); len(id) != 1 || len(id[0]) != 26 {
		t.Errorf("%s has the request ID %q, want one of 26 characters", where, id)
	}
	for _, header := range []string{"Location", "Etag", "Last-Modified", "Expires", "Age", "Set-Cookie"} {
		if got := r.header.Get(header); got != "" {
			t.Errorf("%s has %s %q, want none", where, header, got)
		}
	}
}
