package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"sync"
)

// Decode maps a table onto structs by their `toml` tags. Several targets may share one table (what a
// plugin takes and what every check takes); a key that none of them knows is a fault. Fields keep
// their value where the table says nothing, so defaults are set by making the struct.
//
// Faults are added to errs; the rest is decoded all the same.
func Decode(n *Node, errs *Errors, targets ...any) { decodeTable(n, "", errs, targets...) }

func decodeTable(n *Node, path string, errs *Errors, targets ...any) {
	table := n.Table()
	if table == nil {
		errs.Add(n, "expected a table, not %s", kindOf(n.Value))
		return
	}
	for _, key := range sortedKeys(table) {
		child, known := table[key], false
		for _, target := range targets {
			into := reflect.ValueOf(target).Elem()
			if index, ok := fieldsOf(into.Type())[key]; ok {
				known = true
				decodeValue(child, join(path, key), into.FieldByIndex(index), errs)
			}
		}
		if !known {
			hint, meant := misplaced(key, targets)
			errs.Add(child, "unknown option %q%s", join(path, key), hint)
			if last := (*errs)[len(*errs)-1]; meant != "" {
				last.unknown, last.meant = join(path, key), join(path, meant)
			}
		}
	}
}

// misplaced says where an unknown option might belong, or what it might be; meant is the path of that.
func misplaced(key string, targets []any) (hint, meant string) {
	var names []string
	for _, target := range targets {
		t := reflect.TypeOf(target).Elem()
		own := fieldsOf(t)
		for _, name := range sortedKeys(own) {
			inside := t.FieldByIndex(own[name]).Type
			if inside.Kind() == reflect.Struct && fieldsOf(inside)[key] != nil {
				return fmt.Sprintf("; it belongs into the table %q, as in %s.%s = …", name, name, key), join(name, key)
			}
			names = append(names, name)
		}
	}
	meant = nearest(key, names)
	return didYouMean(meant), meant
}

// fields are the places of a struct's fields (reflect.Value.FieldByIndex) by their names in a file.
type fields map[string][]int

// fieldsByType are the fields of every type that was asked for: a thousand instances of one probe ask a thousand times, and
// without this a fifth of the time to read them went there.
var fieldsByType sync.Map // reflect.Type → fields

// fieldsOf are the tagged fields of a struct, those of embedded structs included.
func fieldsOf(t reflect.Type) fields {
	if found, ok := fieldsByType.Load(t); ok {
		return found.(fields)
	}
	found := fields{}
	for _, field := range reflect.VisibleFields(t) {
		if name := field.Tag.Get("toml"); name != "" && name != "-" {
			found[name] = field.Index
		}
	}
	fieldsByType.Store(t, found)
	return found
}

// special decodes the types of types.go; ok is false for any other type.
func special(n *Node, path string, into reflect.Value, errs *Errors) (ok bool) {
	var err error
	switch target := into.Addr().Interface().(type) {
	case *Duration:
		var d Duration
		if d, err = durationOf(n.Value); err == nil {
			*target = d
		}
	case *Size:
		var size Size
		if size, err = sizeOf(n.Value); err == nil {
			*target = size
		}
	case *Secret:
		text, isString := n.Value.(string)
		if !isString {
			errs.Add(n, "%s: expected a string", path) // what stands there may be the secret
			return true
		}
		*target = Secret(text) // set, if not to what it should be: it is not missing as well
		if n.revealed {        // a partial's node is decoded for every instance that names it
			return true
		}
		n.revealed = true
		var secret Secret
		if secret, err = readSecret(text); err == nil {
			*target, n.Value = secret, secret.Reveal() // so that a rotated secret file is a change of content
		}
	case *Command:
		switch v := n.Value.(type) {
		case string:
			*target = Command{Line: v}
		case List:
			argv := reflect.ValueOf(&target.Argv).Elem()
			decodeValue(n, path, argv, errs)
		default:
			errs.Add(n, "%s: expected a command line or an array of arguments, not %s", path, kindOf(v))
		}
	case *Strings:
		if text, isString := n.Value.(string); isString {
			*target = Strings{text}
			return true
		}
		decodeList(n, path, into, errs)
	case encoding.TextUnmarshaler:
		text, isString := n.Value.(string)
		if !isString {
			errs.Add(n, "%s: expected a string, not %s", path, kindOf(n.Value))
			return true
		}
		err = target.UnmarshalText([]byte(text))
	default:
		return false
	}
	if err != nil {
		errs.Add(n, "%s: %v", path, err)
	}
	return true
}

func durationOf(value any) (Duration, error) {
	switch v := value.(type) {
	case string:
		return ParseDuration(v)
	case int64:
		return secondsToDuration(float64(v))
	case float64:
		return secondsToDuration(v)
	}
	return 0, fmt.Errorf(`expected a duration such as "30s", not %s`, kindOf(value))
}

func sizeOf(value any) (Size, error) {
	switch v := value.(type) {
	case string:
		return ParseSize(v)
	case int64:
		if v >= 0 {
			return Size(v), nil
		}
		return 0, fmt.Errorf("%d is negative", v)
	}
	return 0, fmt.Errorf(`expected a size such as "1MiB", not %s`, kindOf(value))
}

func decodeValue(n *Node, path string, into reflect.Value, errs *Errors) {
	if special(n, path, into, errs) {
		return
	}
	wrong := func(want string) { errs.Add(n, "%s: expected %s, not %s", path, want, kindOf(n.Value)) }
	switch into.Kind() {
	case reflect.Pointer:
		value := reflect.New(into.Type().Elem())
		decodeValue(n, path, value.Elem(), errs)
		into.Set(value)
	case reflect.String:
		if v, ok := n.Value.(string); ok {
			into.SetString(v)
		} else {
			wrong("a string")
		}
	case reflect.Bool:
		if v, ok := n.Value.(bool); ok {
			into.SetBool(v)
		} else {
			wrong("true or false")
		}
	case reflect.Int, reflect.Int64:
		if v, ok := n.Value.(int64); ok && !into.OverflowInt(v) {
			into.SetInt(v)
		} else {
			wrong("a whole number")
		}
	case reflect.Float64:
		switch v := n.Value.(type) {
		case int64:
			into.SetFloat(float64(v))
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				wrong("a finite number")
				return
			}
			into.SetFloat(v)
		default:
			wrong("a number")
		}
	case reflect.Slice:
		decodeList(n, path, into, errs)
	case reflect.Map:
		decodeMap(n, path, into, errs)
	case reflect.Struct:
		if n.Table() == nil {
			wrong("a table")
			return
		}
		decodeTable(n, path, errs, into.Addr().Interface())
	default:
		panic(fmt.Sprintf("config: option %q has the unsupported type %s", path, into.Type()))
	}
}

func decodeList(n *Node, path string, into reflect.Value, errs *Errors) {
	list, ok := n.Value.(List)
	if !ok {
		errs.Add(n, "%s: expected an array, not %s", path, kindOf(n.Value))
		return
	}
	slice := reflect.MakeSlice(into.Type(), len(list), len(list))
	for i, child := range list {
		if !setText(child, slice.Index(i)) {
			decodeValue(child, fmt.Sprintf("%s[%d]", path, i), slice.Index(i), errs)
		}
	}
	into.Set(slice)
}

func decodeMap(n *Node, path string, into reflect.Value, errs *Errors) {
	table := n.Table()
	if table == nil {
		errs.Add(n, "%s: expected a table, not %s", path, kindOf(n.Value))
		return
	}
	m := reflect.MakeMapWithSize(into.Type(), len(table))
	value := reflect.New(into.Type().Elem()).Elem()
	for key, child := range table {
		value.SetZero()
		if !setText(child, value) {
			decodeValue(child, path+"."+key, value, errs)
		}
		m.SetMapIndex(reflect.ValueOf(key), value)
	}
	into.Set(m)
}

// setText sets what is a string to a string, which most elements of lists and maps are: a path, which only faults tell of,
// need not be made for each.
func setText(n *Node, into reflect.Value) (ok bool) {
	text, ok := n.Value.(string)
	if ok = ok && into.Type() == reflect.TypeFor[string](); ok {
		into.SetString(text)
	}
	return ok
}

// kindOf names a value as a user would, with a short value where it helps.
func kindOf(value any) string {
	switch v := value.(type) {
	case string:
		return "a string"
	case int64, float64:
		return fmt.Sprintf("the number %v", v)
	case bool:
		return fmt.Sprintf("%v", v)
	case List:
		return "an array"
	case Table:
		return "a table"
	}
	return "a date"
}
