package journaltail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"catpaw/internal/pattern"
)

// stream is a set of journal files that are read together, from one cursor.
type stream struct {
	key   string
	where []string // the options of journalctl that choose the files
}

// localFiles is the stream of the files that one journald writes.
const localFiles = "system"

// machineID is the name of a directory below the one given in which journalctl -D looks too.
var machineID = pattern.Lazy(`^[0-9a-f]{32}$`)

// streams lists what is to be read. This host's journal is one stream. A directory may hold the journals
// of several machines, whose lines come in late and in any order; after the cursor of a line of one, an
// earlier line of another would be missed. So each is read for itself: the files with one name before the
// "@" of the rotated ones, but those of one journald (system and user-…) together.
func (p *Probe) streams() ([]stream, error) {
	if p.Directory == "" {
		return []stream{{}}, nil
	}
	sets := map[string][]string{}
	entries, err := listDirectory(p.Directory)
	if err != nil {
		return nil, err
	}
	for _, name := range journals(entries) {
		sets[setOf(name)] = append(sets[setOf(name)], filepath.Join(p.Directory, name))
	}
	for _, sub := range entries {
		if !sub.IsDir() || !machineID().MatchString(sub.Name()) {
			continue
		}
		path := filepath.Join(p.Directory, sub.Name())
		below, err := listDirectory(path)
		if err != nil {
			return nil, err
		}
		for _, name := range journals(below) {
			key := sub.Name() + "/" + setOf(name)
			sets[key] = append(sets[key], filepath.Join(path, name))
		}
	}
	return p.streamsOf(sets)
}

func (p *Probe) streamsOf(sets map[string][]string) ([]stream, error) {
	switch len(sets) {
	case 0:
		return nil, fmt.Errorf("there are no journal files (*.journal) in %s", p.Directory)
	case 1: // journalctl finds them itself, and bears with broken ones
		for key := range sets {
			return []stream{{key: key, where: []string{"--directory=" + p.Directory}}}, nil
		}
	}
	var streams []stream
	for key, files := range sets {
		where := make([]string, 0, len(files))
		for _, file := range files {
			where = append(where, "--file="+file)
		}
		streams = append(streams, stream{key: key, where: where})
	}
	slices.SortFunc(streams, func(a, b stream) int { return strings.Compare(a.key, b.key) })
	return streams, nil
}

func listDirectory(path string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no directory %s: create it, or set directory to where the journal files are", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the agent's user may not read the directory %s: make it readable to it", path)
	}
	return entries, err
}

func journals(entries []os.DirEntry) (names []string) {
	for _, entry := range entries {
		name := entry.Name()
		if !entry.IsDir() && (strings.HasSuffix(name, ".journal") || strings.HasSuffix(name, ".journal~")) {
			names = append(names, name)
		}
	}
	return names
}

// setOf is the set to which a file belongs: "remote-a" for remote-a.journal and remote-a@….journal.
func setOf(name string) string {
	name = strings.TrimSuffix(strings.TrimSuffix(name, "~"), ".journal")
	name, _, _ = strings.Cut(name, "@")
	if strings.HasPrefix(name, "user-") {
		return localFiles
	}
	return name
}
