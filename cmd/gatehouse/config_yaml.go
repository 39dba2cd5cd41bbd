package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// decodeYAML fills into from the file's text. It walks the syntax tree itself
// because a decoder stops at the first fault, and a person wants to see all.
// Anchors, aliases, tags and merges are refused: a configuration says what it
// says where it says it.
func decodeYAML(name string, raw []byte, into *config, from origins) faults {
	file, err := parser.ParseBytes(raw, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return faults{syntaxFault(name, err)}
	}
	d := yamlDecoder{name: name, from: from}
	switch {
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
	case len(file.Docs) > 1:
		d.report(file.Docs[1].Start, "", "a second YAML document starts here", "keep one document in the file")
	default:
		d.mapping(file.Docs[0].Body, "", reflect.ValueOf(into).Elem())
	}
	return d.found
}

func syntaxFault(name string, err error) fault {
	f := fault{Where: name, Problem: "this is not YAML", Fix: "compare with docs/configuration.md"}
	var at yaml.Error
	if errors.As(err, &at) {
		f.Problem = "this is not YAML: " + at.GetMessage()
		if tk := at.GetToken(); tk != nil && tk.Position != nil {
			f.Where = fmt.Sprintf("%s:%d:%d", name, tk.Position.Line, tk.Position.Column)
		}
	}
	return f
}

type yamlDecoder struct {
	name  string
	from  origins
	found faults
}

func (d *yamlDecoder) origin(tk *token.Token) origin {
	o := origin{where: d.name}
	if tk != nil && tk.Position != nil {
		o.line, o.column = tk.Position.Line, tk.Position.Column
		o.where = fmt.Sprintf("%s:%d:%d", d.name, o.line, o.column)
	}
	return o
}

func (d *yamlDecoder) report(tk *token.Token, path, problem, fix string) {
	o := d.origin(tk)
	if _, known := d.from[path]; !known {
		d.from[path] = o // for the order of the report
	}
	d.found = append(d.found, fault{Where: o.where, Field: path, Problem: problem, Fix: fix})
}

func (d *yamlDecoder) mapping(node ast.Node, path string, into reflect.Value) {
	m, ok := node.(*ast.MappingNode)
	if !ok {
		d.report(node.GetToken(), path, "fields are expected here, written `name: value`", "see docs/configuration.md")
		return
	}
	names := fieldNames(into.Type())
	seen := map[string]bool{}
	for _, entry := range m.Values {
		key, ok := entry.Key.(*ast.StringNode)
		if !ok {
			d.report(entry.Key.GetToken(), path, "a field name is expected here", "write it as plain text")
			continue
		}
		at := join(path, key.Value)
		i := slices.Index(names, key.Value)
		switch {
		case i < 0:
			d.report(key.GetToken(), at, "there is no such field", suggest(key.Value, names))
		case seen[key.Value]:
			d.report(key.GetToken(), at, "the field is set a second time", "keep one of the two")
		default:
			seen[key.Value] = true
			d.from[at] = d.origin(entry.Value.GetToken())
			d.value(entry.Value, at, fieldNamed(into, key.Value))
		}
	}
}

func (d *yamlDecoder) value(node ast.Node, path string, into reflect.Value) {
	switch {
	case into.Kind() == reflect.Struct:
		d.mapping(node, path, into)
	case into.Kind() == reflect.Slice:
		list, ok := node.(*ast.SequenceNode)
		if !ok {
			d.report(node.GetToken(), path, "a list is expected here", "write each value on its own line after a dash")
			return
		}
		for i, item := range list.Values {
			at := fmt.Sprintf("%s[%d]", path, i)
			d.from[at] = d.origin(item.GetToken())
			element := reflect.New(into.Type().Elem()).Elem()
			d.value(item, at, element)
			into.Set(reflect.Append(into, element))
		}
	default:
		text, ok := scalarText(node)
		if !ok {
			d.report(node.GetToken(), path, "a single value is expected here", "write "+wanted(into))
			return
		}
		if problem := setScalar(into, text); problem != "" {
			d.report(node.GetToken(), path, problem, "write "+wanted(into))
		}
	}
}

// scalarText is the text of a plain or quoted value, as written.
func scalarText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimRight(n.Value.Value, "\n"), true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	}
	return "", false // null, anchors, aliases, tags, lists, mappings
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
