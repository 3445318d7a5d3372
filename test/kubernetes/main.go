// Command kubernetes builds kustomizations and checks what comes out: every
// manifest is decoded strictly into the type that Kubernetes has for it, pods
// are held to the restricted profile by Kubernetes' own checks, and what refers
// to something must find it.
//
//	kubernetes ../../deploy/kubernetes/base ../../deploy/kubernetes/overlays/sqlite
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	failed := false
	for _, dir := range os.Args[1:] {
		kinds, faults := check(dir)
		for _, fault := range faults {
			failed = true
			fmt.Fprintf(os.Stderr, "%s: %s\n", dir, fault)
		}
		fmt.Printf("%s: %d manifests, %d faults: %v\n", dir, len(kinds), len(faults), kinds)
	}
	if failed || len(os.Args) < 2 {
		os.Exit(1)
	}
}

// check builds dir and returns the kinds in it and what is wrong.
func check(dir string) (kinds, faults []string) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, []string{err.Error()}
	}
	var all []object
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, []string{err.Error()}
		}
		kinds = append(kinds, r.GetKind())
		o, err := decode(r.GetApiVersion(), r.GetKind(), text)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s %s: %v", r.GetKind(), r.GetName(), err))
			continue
		}
		all = append(all, o)
	}
	return kinds, append(faults, references(all)...)
}
