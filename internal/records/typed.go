package records

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// mistyped lists what the library does not find in nodes, with the lines: keys that have no field in t, numbers that
// are no whole numbers where one is wanted, and texts that a type refuses.
func mistyped(n *yaml.Node, t reflect.Type) []fault {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]()):
		return nil
	case n.Kind == yaml.ScalarNode:
		return mistypedScalar(n, t)
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return nil // the library says that it wants a plain value
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		return mistypedFields(n, t)
	}
	var faults []fault
	switch {
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 0; i+1 < len(n.Content); i += 2 {
			faults = append(faults, mistyped(n.Content[i], t.Key())...)
			faults = append(faults, mistyped(n.Content[i+1], t.Elem())...)
		}
	case n.Kind == yaml.SequenceNode && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		for _, c := range n.Content {
			faults = append(faults, mistyped(c, t.Elem())...)
		}
	}
	return faults
}

func mistypedFields(n *yaml.Node, t reflect.Type) []fault {
	var faults []fault
	fields := fieldsOf(t)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		ft, ok := fields[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode: // the library refuses it
		case !ok:
			faults = append(faults, fault{key.Line, fmt.Sprintf("unknown key %q, want one of %s", key.Value,
				strings.Join(slices.Sorted(maps.Keys(fields)), ", "))})
		default:
			faults = append(faults, mistyped(n.Content[i+1], ft)...)
		}
	}
	return faults
}

var (
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*|[1-9][0-9]{0,2}(_[0-9]{3})+)$`)
	anyNumber   = regexp.MustCompile(`^-?(0|[1-9][0-9]*|[1-9][0-9]{0,2}(_[0-9]{3})+)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
)

// mistypedScalar judges a plain value. A value that is found wrong is taken out of the tree, so that the library goes on
// to the next and does not report it once more.
func mistypedScalar(n *yaml.Node, t reflect.Type) []fault {
	if n.ShortTag() == "!!null" {
		return nil
	}
	text := scalarFault(n, t)
	if text == "" {
		return nil
	}
	n.Value, n.Tag, n.Style = "null", "!!null", 0
	return []fault{{n.Line, text}}
}

func scalarFault(n *yaml.Node, t reflect.Type) string {
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](reflect.New(t)); ok {
		if err := u.UnmarshalText([]byte(n.Value)); err != nil {
			return err.Error()
		}
		return ""
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if !wholeNumber.MatchString(n.Value) {
			return fmt.Sprintf("want a whole number, like 32, not %q", n.Value)
		}
	case reflect.Float32, reflect.Float64:
		if !anyNumber.MatchString(n.Value) {
			return fmt.Sprintf("want a number, like 0.5, not %q", n.Value)
		}
	case reflect.Bool:
		if n.Value != "true" && n.Value != "false" {
			return fmt.Sprintf("want true or false, not %q", n.Value)
		}
	default: // a string takes every scalar, and the library refuses a scalar in the place of a list or map
	}
	return ""
}

// fieldsOf maps the YAML keys of a struct to the types of their fields, following the library's rules for names.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type, t.NumField())
	for f := range t.Fields() {
		if !f.IsExported() {
			continue
		}
		tag, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case tag == "-":
		case slices.Contains(strings.Split(opts, ","), "inline"):
			maps.Copy(fields, fieldsOf(f.Type))
		case tag == "":
			fields[strings.ToLower(f.Name)] = f.Type
		default:
			fields[tag] = f.Type
		}
	}
	return fields
}
