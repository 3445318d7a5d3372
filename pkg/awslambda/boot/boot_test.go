package boot_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/awslambda/boot"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A safe fails so many times before it opens.
type safe struct{ fails, asked int }

var errShut = errors.New("shut")

func (s *safe) Fetch(context.Context, string) (map[string]gate.Secret, error) {
	if s.asked++; s.asked <= s.fails {
		return nil, errShut
	}
	return map[string]gate.Secret{"HANDSTAMP_TEST_PEPPER": "canary"}, nil
}

func TestLend(t *testing.T) {
	t.Setenv(boot.SecretsVariable, "HANDSTAMP_TEST_PEPPER=ssm:/pepper")
	for _, tt := range []struct {
		fails int
		want  error
		asked int
	}{{0, nil, 1}, {2, nil, 3}, {3, errShut, 3}} {
		synctest.Test(t, func(t *testing.T) {
			s := &safe{fails: tt.fails}
			giveBack, err := boot.Lend(t.Context(), s)
			if !errors.Is(err, tt.want) || s.asked != tt.asked {
				t.Errorf("Lend after %d failures = %v, asked %d times, want %v, %d", tt.fails, err, s.asked, tt.want, tt.asked)
			}
			if got := os.Getenv("HANDSTAMP_TEST_PEPPER"); (got == "canary") != (tt.want == nil) {
				t.Errorf("while lent the variable is %q", got)
			}
			giveBack()
			if got, ok := os.LookupEnv("HANDSTAMP_TEST_PEPPER"); ok {
				t.Errorf("given back the variable is %q, want it gone", got)
			}
		})
	}
}

func TestLendNothing(t *testing.T) {
	s := &safe{}
	if giveBack, err := boot.Lend(t.Context(), s); err != nil || s.asked != 0 {
		t.Errorf("Lend without a list = %v, asked %d times", err, s.asked)
	} else {
		giveBack()
	}
}

func TestFailSaysNothing(t *testing.T) {
	var path, body string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		path, body = r.URL.Path, string(text)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer api.Close()
	t.Setenv("AWS_LAMBDA_RUNTIME_API", strings.TrimPrefix(api.URL, "http://"))
	if err := boot.Fail(t.Context()); err != nil || path != "/2018-06-01/runtime/init/error" || !strings.Contains(body, "its log says why") {
		t.Errorf("Fail = %v with %q to %s", err, body, path)
	}
}
