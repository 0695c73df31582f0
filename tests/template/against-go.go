// The cases of tests/template/*.jsonl through Go's own text/template and Sprig; see against-go.sh.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

type kase struct {
	Template string          `json:"template"`
	Data     json.RawMessage `json:"data"`
	Mode     string          `json:"mode"`
	Output   *string         `json:"output"`
	Differs  string          `json:"differs"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 8<<20)
	bad, n := 0, 0
	for in.Scan() {
		var k kase
		if json.Unmarshal(in.Bytes(), &k) != nil || k.Mode == "response" || k.Differs != "" {
			continue
		}
		n++
		var data interface{}
		if k.Mode == "strings" {
			m := map[string]string{}
			json.Unmarshal(k.Data, &m)
			data = m
		} else if k.Data != nil {
			json.Unmarshal(k.Data, &data)
		}
		var out bytes.Buffer
		t, err := template.New("response").Funcs(sprig.TxtFuncMap()).Parse(k.Template)
		if err == nil {
			err = t.Execute(&out, data)
		}
		want := "an error"
		if k.Output != nil {
			want = *k.Output
		}
		if got := out.String(); (err != nil) != (k.Output == nil) || (err == nil && got != want) {
			bad++
			fmt.Printf("%s\n  Go:    %q (%v)\n  case:  %q\n", k.Template, got, err, want)
		}
	}
	fmt.Printf("%d cases, %d differ\n", n, bad)
	if bad > 0 {
		os.Exit(1)
	}
}
