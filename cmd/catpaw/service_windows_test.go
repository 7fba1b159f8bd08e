package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"

	"catpaw/pipeline"
)

// manager plays what the service manager is told of restarts.
type manager struct {
	actions      []mgr.RecoveryAction
	alsoNoCrash  bool
	knowsNoCrash error
}

func (m *manager) SetRecoveryActions(actions []mgr.RecoveryAction, _ uint32) error {
	m.actions = actions
	return nil
}

func (m *manager) SetRecoveryActionsOnNonCrashFailures(flag bool) error {
	m.alsoNoCrash = flag
	return m.knowsNoCrash
}

func TestTheServiceComesBackAlsoFromAnEndThatIsNoCrash(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, want error }{
		"a Windows that knows it":        {nil, nil},
		"Wine, which does not":           {windows.ERROR_INVALID_LEVEL, nil},
		"a Windows that does not let us": {windows.ERROR_ACCESS_DENIED, windows.ERROR_ACCESS_DENIED},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &manager{knowsNoCrash: c.answer}
			if err := restartAlways(m); !errors.Is(err, c.want) || !m.alsoNoCrash {
				t.Errorf("%v, want %v; no crash counts: %v", err, c.want, m.alsoNoCrash)
			}
			if len(m.actions) != 1 || m.actions[0] != (mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: 5 * time.Second}) {
				t.Errorf("it does %+v", m.actions)
			}
		})
	}
}

func TestAServiceThatOnlyPrintsTellsNobody(t *testing.T) {
	t.Parallel()
	for kinds, want := range map[string]bool{"stdout": true, "stdout stdout": true, "stdout webhook": false, "kafka": false} {
		var outputs []*pipeline.OutputSpec
		for kind := range strings.FieldsSeq(kinds) {
			outputs = append(outputs, &pipeline.OutputSpec{Plugin: kind})
		}
		if got := tellsNobody(outputs); got != want {
			t.Errorf("%s: %v", kinds, got)
		}
	}
}

func TestOfTheServicesLogOnlyFaultsAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ log, want string }{
		"nothing is written":        {"", ""},
		"two faults between others": {"12:00 INFO catpaw: x\ncatpaw: a.toml:1: b\r\n12:01 WARN y\ncatpaw: a.toml:2: c\n", "a.toml:1: b\na.toml:2: c"},
		"half a line":               {"catpaw: a.toml", "a.toml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := errors.Join(reportedIn(c.log)...); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
