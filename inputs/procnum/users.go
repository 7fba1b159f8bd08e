package procnum

import (
	"context"
	"fmt"
	"os/user"
	"strconv"
	"sync"
	"time"
)

// remembered is how long what a name means is good for: a directory service need not be asked every second.
const remembered = time.Minute

// accounts looks up what the column of users has for a user. A lookup may take as long as a directory
// service likes; it holds up only the checks that ask for that user, and there is one at a time for each.
type accounts struct {
	lookup func(name string) (string, error)
	now    func() time.Time

	mu    sync.Mutex
	known map[string]*account
}

type account struct {
	done chan struct{} // closed when the rest is there
	id   string
	err  error
	at   time.Time
}

// id returns what the column has for that name. err is the name's own fault, or that ctx has ended.
func (a *accounts) id(ctx context.Context, name string) (id string, ended, err error) {
	found := a.ask(name)
	select {
	case <-found.done:
		return found.id, nil, found.err
	case <-ctx.Done():
		return "", fmt.Errorf("nobody says who the user %s is: the directory service does not answer: %w", name, context.Cause(ctx)), nil
	}
}

// ask returns the account, perhaps still being looked up. One that was not found is asked for again.
func (a *accounts) ask(name string) *account {
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.known[name]; old != nil {
		select {
		case <-old.done:
			if old.err == nil && a.now().Sub(old.at) < remembered {
				return old
			}
		default:
			return old
		}
	}
	next := &account{done: make(chan struct{})}
	a.known[name] = next
	go func() {
		defer close(next.done)
		next.id, next.err = a.lookup(name)
		next.at = a.now()
	}()
	return next
}

// lookupUser finds what the column of users has for a user: the number, on Windows the full name.
func lookupUser(name string) (string, error) {
	if _, err := strconv.ParseUint(name, 10, 32); err == nil {
		return name, nil
	}
	account, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	if _, err := strconv.ParseUint(account.Uid, 10, 32); err != nil {
		return account.Username, nil
	}
	return account.Uid, nil
}
