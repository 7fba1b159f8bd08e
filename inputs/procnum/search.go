package procnum

import (
	"context"
	"errors"
	"os"
	"strings"
)

// sight is what one search found.
type sight struct {
	pids    []int32
	names   []string // of the first few of these
	zombies []int32  // would be among them, but have ended
	nothing string   // why there is nothing to be found; "" = nothing special
	fault   string   // why the search could not be done, and what to do; bad whatever the number
	further string   // a command that shows more of that
	user    string   // what the column of users has for search_user
	blind   blind
}

// blind is what a search could not see.
type blind struct {
	hidden bool    // processes of others, nobody knows how many
	denied int     // processes that may not be read at all
	closed int     // processes whose arguments may not be read
	noPath int     // executables whose path may not be read
	hung   []int32 // processes whose arguments cannot be read
}

// most is how many processes there may be that were not seen; -1 = nobody knows.
func (b *blind) most() int {
	if b.hidden {
		return -1
	}
	return b.denied + len(b.hung)
}

// shownNames is how many processes a description names.
const shownNames = 20

func (p *Probe) search(ctx context.Context) (*sight, error) {
	switch {
	case p.asksService():
		return p.searchService(ctx)
	case p.SearchPidFile != "":
		return p.searchPidFile(ctx)
	}
	s := &sight{}
	if err := p.findUser(ctx, s); err != nil || s.fault != "" {
		return s, err
	}
	snapshot, err := p.table.look(ctx, p.columns(), p.seen)
	if err != nil {
		return nil, err
	}
	p.seen = snapshot.number
	p.pick(snapshot, s)
	return s, nil
}

func (p *Probe) columns() columns {
	return columns{names: p.SearchExec != "", users: p.SearchUser != ""}
}

func (p *Probe) searchService(ctx context.Context) (*sight, error) {
	found, err := p.service(ctx, p.SearchService)
	switch {
	case errors.Is(err, errNoService):
		return &sight{nothing: err.Error()}, nil
	case err != nil:
		return &sight{fault: err.Error() + ". Run catpaw as an administrator or as LocalSystem"}, nil
	case !found.running:
		return &sight{nothing: "the service is " + found.state}, nil
	}
	return &sight{pids: []int32{found.pid}, names: []string{p.SearchService}}, nil
}

// pick takes from the snapshot the processes that are meant.
func (p *Probe) pick(snapshot *snapshot, s *sight) {
	mine := p.userFilter(snapshot, s)
	p.notSeen(snapshot, mine, s)
	take := func(row int) {
		if !mine(row) {
			return
		}
		switch snapshot.states[row] {
		case zombie:
			s.zombies = append(s.zombies, snapshot.pids[row])
		case gone:
		default:
			s.pids = append(s.pids, snapshot.pids[row])
			if len(s.names) < shownNames {
				s.names = append(s.names, snapshot.name(row))
			}
		}
	}
	switch {
	case p.SearchExec != "":
		for _, row := range snapshot.names.holding(p.SearchExec) {
			take(row)
		}
	case p.SearchCmdline != "":
		for _, row := range snapshot.args.holding(p.SearchCmdline) {
			take(row)
		}
	default:
		for row := range snapshot.pids {
			take(row)
		}
	}
}

// findUser finds out who search_user is. The error is that nobody says so in time.
func (p *Probe) findUser(ctx context.Context, s *sight) error {
	if p.SearchUser == "" {
		return nil
	}
	id, ended, err := p.table.users.id(ctx, p.SearchUser)
	if err != nil {
		s.fault = strings.TrimPrefix(err.Error(), "user: ") + ". Create the user, or mend search_user; a user that only a directory service knows may be given by its number"
		s.further = "getent passwd " + quoted(p.SearchUser, "'")
	}
	s.user = id
	return ended
}

// userFilter returns what search_user lets through.
func (p *Probe) userFilter(snapshot *snapshot, s *sight) func(row int) bool {
	if p.SearchUser == "" {
		return func(int) bool { return true }
	}
	return func(row int) bool { return strings.EqualFold(snapshot.users[row], s.user) }
}

// notSeen finds what the search is blind to. The agent's own processes are never hidden from it.
func (p *Probe) notSeen(snapshot *snapshot, mine func(int) bool, s *sight) {
	b := &s.blind
	b.hidden = snapshot.hidden && (p.SearchUser == "" || s.user != p.self)
	for row, is := range snapshot.states {
		if is <= zombie && (snapshot.noPath == nil || !snapshot.noPath[row]) {
			continue // nearly all
		}
		byArgs := p.SearchCmdline != "" && p.SearchExec == ""
		switch {
		case !mine(row):
		case is == denied && p.SearchExec+p.SearchCmdline != "":
			b.denied++
		case is == closed && byArgs:
			b.closed++
		case is == hung && byArgs:
			b.hung = append(b.hung, snapshot.pids[row])
		case p.SearchExec != "" && snapshot.noPath[row]:
			b.noPath++
		}
	}
}

// name is what a process is called in a description: never its arguments, which may hold secrets.
func (s *snapshot) name(row int) string {
	if s.names != nil {
		name, _, _ := strings.Cut(s.names.row(row), "\n")
		return name
	}
	word, _, _ := strings.Cut(s.args.row(row), " ")
	return word[strings.LastIndexAny(word, `/\`)+1:]
}

// ownUser is the user of the agent as it stands in the column of users; "" = not known.
func ownUser() string {
	if uid := os.Geteuid(); uid >= 0 {
		return itoa(uid)
	}
	return ""
}
