package app_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A logEvent is a message of the log: how loud it is, in upper case, and what it
// comes with, in order.
type logEvent struct {
	message string
	levels  []string
	attrs   []string
}

func (e *logEvent) row() string {
	return fmt.Sprintf("| `%s` | %s | %s |", e.message, strings.Join(e.levels, ", "), strings.Join(e.attrs, ", "))
}

// logLevels are the methods of a logger, and where their message stands.
var logLevels = map[string]int{"Debug": 0, "Info": 0, "Warn": 0, "Error": 0, "DebugContext": 1, "InfoContext": 1, "WarnContext": 1,
	"ErrorContext": 1, "Log": 2, "LogAttrs": 2}

// logEvents reads what the source can log.
func logEvents(t *testing.T) map[string]*logEvent {
	t.Helper()
	found := map[string]*logEvent{}
	for _, root := range []string{"../../pkg", "../../cmd"} {
		err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, name, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if err := readLogCall(found, call); err != nil {
						t.Errorf("%s: %v", files.Position(call.Pos()), err)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// readLogCall adds a call to found if it is one of a logger.
func readLogCall(found map[string]*logEvent, call *ast.CallExpr) error {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !isLogger(method.X) {
		return nil
	}
	at, ok := logLevels[method.Sel.Name]
	if !ok {
		return nil
	}
	if len(call.Args) <= at {
		return fmt.Errorf("%s has no message", method.Sel.Name)
	}
	message, err := literal(call.Args[at])
	if err != nil {
		return fmt.Errorf("the message is not a constant: %w", err)
	}
	event := cmp.Or(found[message], &logEvent{message: message})
	found[message] = event
	event.levels = union(event.levels, levelOf(method.Sel.Name, call))
	for i := at + 1; i < len(call.Args); i++ {
		key, step := attrOf(call.Args[i])
		if key == "" {
			return fmt.Errorf("%q: an attribute has no constant key", message)
		}
		event.attrs = union(event.attrs, key)
		i += step
	}
	return nil
}

// isLogger reports whether an expression is named like a logger.
func isLogger(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "log" || x.Name == "logger"
	case *ast.SelectorExpr:
		return x.Sel.Name == "log" || x.Sel.Name == "Log" || x.Sel.Name == "logger"
	}
	return false
}

// levelOf returns how loud a call is; several levels are "by what it is".
func levelOf(method string, call *ast.CallExpr) string {
	if method != "Log" && method != "LogAttrs" {
		return strings.ToLower(strings.TrimSuffix(method, "Context"))
	}
	if level, ok := call.Args[1].(*ast.SelectorExpr); ok {
		return strings.ToLower(strings.TrimPrefix(level.Sel.Name, "Level"))
	}
	return "by status"
}

// attrOf returns the key of an attribute, and how many arguments it takes beside.
func attrOf(x ast.Expr) (key string, step int) {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		key, _ = literal(x)
		return key, 1
	}
	if len(call.Args) > 0 {
		key, _ = literal(call.Args[0])
	}
	return key, 0
}

func literal(x ast.Expr) (string, error) {
	lit, ok := x.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", fmt.Errorf("%T", x)
	}
	return strconv.Unquote(lit.Value)
}

func union(all []string, one string) []string {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// docs/logging.md lists every event, with its level and attributes as the source
// has them, and says what to do about it.
func TestLogCatalogue(t *testing.T) {
	text, err := os.ReadFile("../../docs/logging.md")
	if err != nil && os.Getenv("HANDSTAMP_PRINT") == "" {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if row, ok := strings.CutPrefix(line, "| `"); ok {
			message, _, _ := strings.Cut(row, "`")
			documented[message] = true
		}
	}
	events := logEvents(t)
	if len(events) < 50 {
		t.Errorf("only %d events are found in the source", len(events))
	}
	for _, message := range slices.Sorted(maps.Keys(events)) {
		row := events[message].row()
		if !strings.Contains(string(text), "\n"+row+" ") {
			t.Errorf("docs/logging.md has no row that begins\n%s", row)
		}
		delete(documented, message)
	}
	for message := range documented {
		t.Errorf("docs/logging.md has %q, which nothing logs", message)
	}
}
