package agent

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/shirou/gopsutil/v3/process"
	"go.uber.org/zap"

	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/processors/silence"
	"catpaw/store"
)

// silencesMemo is under what the store keeps the silences.
const silencesMemo = "catpaw/silences"

// muteTick is how often the agent looks whether something is silenced or inhibited no longer.
const muteTick = time.Second

// Silence is a silence, or a window of the configuration that is open now, which has no ID.
type Silence = silence.Silence

// Process is a process that a silence lasts as long as.
type Process = silence.Process

// ThisProcess describes a running process.
func ThisProcess(pid int, command string) (Process, error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return Process{}, err
	}
	begun, err := p.CreateTime()
	return Process{PID: pid, Begun: begun, Command: command}, err
}

func processRuns(p Process) bool {
	now, err := ThisProcess(p.PID, "")
	const slack = 1000 // milliseconds: the beginning is computed from the boot time, which is not exact
	return err == nil && now.Begun-p.Begun <= slack && p.Begun-now.Begun <= slack
}

// endMutes tells of what is muted no longer.
func (a *Agent) endMutes(b *pipeline.Batch) {
	for _, over := range a.silences.Expire(b.Now) {
		a.log.Info("a silence is over", zap.Int("silence", over.ID), zap.String("match", over.Matching()))
		a.keepSilences(b)
	}
	a.alerting.Unmute(b)
}

func (a *Agent) keepSilences(b *pipeline.Batch) {
	for i := range b.Memos {
		if b.Memos[i].Check == silencesMemo {
			b.Memos[i].Data = a.silences.Encode()
			return
		}
	}
	b.Memos = append(b.Memos, store.Memo{Check: silencesMemo, Data: a.silences.Encode()})
}

// change changes the silences between two batches, and returns when that is on disk.
func (a *Agent) change(do func(b *pipeline.Batch) (Silence, error)) (one Silence, err error) {
	a.pipeline.Do(func(b *pipeline.Batch) {
		if one, err = do(b); err == nil {
			a.keepSilences(b)
			a.alerting.Unmute(b)
		}
	})
	a.store.Sync()
	return one, err
}

// NewSilence is what silence add asks for.
type NewSilence struct {
	Match   map[string]config.Strings `json:"match"`
	For     float64                   `json:"for_seconds,omitempty"`
	Process Process                   `json:"process,omitzero"`
	Reason  string                    `json:"reason,omitempty"`
	By      string                    `json:"by,omitempty"`
}

func (a *Agent) addSilence(n NewSilence) (Silence, error) {
	one, err := a.change(func(b *pipeline.Batch) (Silence, error) {
		one := Silence{Match: n.Match, Process: n.Process, Reason: n.Reason, By: n.By}
		if n.For > 0 {
			one.Until = b.Now.Add(time.Duration(n.For * float64(time.Second))).Round(time.Second)
		}
		return a.silences.Add(one, b.Now)
	})
	if err == nil {
		a.log.Info("a silence begins", zap.Int("silence", one.ID), zap.String("match", one.Matching()), zap.String("by", one.By), zap.String("reason", one.Reason))
	}
	return one, err
}

func (a *Agent) endSilence(id int) (Silence, error) {
	one, err := a.change(func(*pipeline.Batch) (Silence, error) { return a.silences.End(id) })
	if err == nil {
		a.log.Info("a silence is ended by hand", zap.Int("silence", one.ID), zap.String("match", one.Matching()))
	}
	return one, err
}

func (a *Agent) ack(key, by, reason string) (alert Alert, err error) {
	a.pipeline.Do(func(b *pipeline.Batch) {
		note := "acknowledged " + b.Now.Format(time.DateTime)
		if by != "" {
			note += " by " + by
		}
		if reason != "" {
			note += ": " + reason
		}
		alert, err = a.alerting.Ack(b, key, note)
	})
	a.store.Sync()
	return alert, err
}

// muteRoutes are the part of the API that is about silences.
func (a *Agent) muteRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+apiRoot+"silences", func(w http.ResponseWriter, _ *http.Request) {
		var all []Silence
		a.pipeline.Do(func(b *pipeline.Batch) { all = a.silences.List(b.Now) })
		reply(w)(all, nil)
	})
	mux.HandleFunc("POST "+apiRoot+"silences", func(w http.ResponseWriter, r *http.Request) {
		var n NewSilence
		if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&n); err != nil {
			reply(w)(nil, fmt.Errorf("the body is no JSON of a silence: %w", err))
			return
		}
		reply(w)(a.addSilence(n))
	})
	mux.HandleFunc("DELETE "+apiRoot+"silences/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil {
			reply(w)(nil, fmt.Errorf("%q is no number of a silence", r.PathValue("id")))
			return
		}
		reply(w)(a.endSilence(id))
	})
	mux.HandleFunc("PUT "+apiRoot+"silences/{id}/process", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id"))
		var p Process
		if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&p); err != nil {
			reply(w)(nil, fmt.Errorf("the body is no JSON of a process: %w", err))
			return
		}
		reply(w)(a.change(func(*pipeline.Batch) (Silence, error) { return a.silences.Follow(id, p) }))
	})
	mux.HandleFunc("POST "+apiRoot+"ack", func(w http.ResponseWriter, r *http.Request) {
		reply(w)(a.ack(r.FormValue("key"), r.FormValue("by"), r.FormValue("reason")))
	})
}

// maxBody is how large what is posted to the API may be.
const maxBody = 1 << 16
