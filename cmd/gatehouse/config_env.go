package main

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

const envPrefix = "GATEHOUSE_"

// kubernetesVariable matches what Kubernetes puts into every container beside a
// service named "gatehouse".
var kubernetesVariable = regexp.MustCompile(`^GATEHOUSE_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_[0-9]+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)$`)

func variableOf(path string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// overlayEnvironment puts GATEHOUSE_* variables over the fields they name. A
// variable that names no field is a fault, like a misspelt field of the file.
func overlayEnvironment(environ []string, into *config, from origins) faults {
	fields := map[string]reflect.Value{}
	paths := map[string]string{}
	var names []string
	leaves(reflect.ValueOf(into).Elem(), "", func(path string, field reflect.Value) {
		name := variableOf(path)
		fields[name], paths[name] = field, path
		names = append(names, name)
	})
	var found faults
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" || isOtherVariable(name) {
			continue
		}
		field, ok := fields[name]
		switch {
		case !ok:
			found = append(found, fault{Where: name, Problem: "no field has this variable", Fix: suggest(name, names)})
			continue
		case field.Kind() == reflect.Slice:
			found = append(found, fault{Where: name, Field: paths[name], Problem: "lists cannot stand in a variable", Fix: "set it in the file"})
			continue
		}
		from[paths[name]] = origin{where: name}
		if problem := setScalar(field, value); problem != "" {
			found = append(found, fault{Where: name, Field: paths[name], Problem: problem, Fix: fmt.Sprintf("set it to %s", wanted(field))})
		}
	}
	return found
}

// isOtherVariable tells variables with the prefix that are no fields.
func isOtherVariable(name string) bool {
	switch name {
	case mailPasswordVariable, masterKeyVariable, adminTokenVariable:
		return true
	}
	return kubernetesVariable.MatchString(name)
}
