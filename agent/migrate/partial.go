package migrate

import (
	"path/filepath"
	"strings"

	"catpaw/internal/config"
)

// whole lays an instance over the partial that it names: only both together say what is judged, and how bad it is.
func (t *translator) whole(instance *config.Node) *config.Node {
	id := strings.Join(texts(instance.Get("partial")), "")
	if id == "" || !t.later {
		return instance
	}
	if found := t.partial(instance.File, id); found != nil {
		return instance.Without("partial").Over(found.Without("id"))
	}
	t.note(instance.Get("partial"), "there is no partial %q: the original does without, and so does this", id)
	return instance.Without("partial")
}

// partial finds one in the same file, or in another one of its directory, which the original reads as one.
func (t *translator) partial(file, id string) (found *config.Node) {
	for _, n := range t.source.probes {
		same := n.File == file
		if !same && (found != nil || filepath.Dir(n.File) != filepath.Dir(file)) {
			continue
		}
		for _, one := range tables(n.Get("partials")) {
			if strings.Join(texts(one.Get("id")), "") == id {
				if same {
					return one
				}
				found = one
				break
			}
		}
	}
	return found
}

func tables(n *config.Node) config.List {
	if n == nil {
		return nil
	}
	list, _ := n.Value.(config.List)
	return list
}
