package main

import (
	"io"
	"strings"
	"unicode/utf8"
)

// A table is rows of cells under headers, printed in aligned columns.
type table struct {
	headers []string
	rows    [][]string
	paint   func(column int, cell string) string // colour, applied after alignment; may be nil
}

// add appends a row.
func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write prints the table; the last column is not padded.
func (t *table) write(w io.Writer, headers bool) error {
	widths := t.widths(headers)
	var b strings.Builder
	if headers {
		writeRow(&b, widths, t.headers, nil)
	}
	for _, row := range t.rows {
		writeRow(&b, widths, row, t.paint)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// widths returns the width of each column in characters.
func (t *table) widths(headers bool) []int {
	widths := make([]int, len(t.headers))
	rows := t.rows
	if headers {
		rows = append([][]string{t.headers}, rows...)
	}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// writeRow writes one row.
func writeRow(
	b *strings.Builder, widths []int, row []string, paint func(int, string) string,
) {
	for i, cell := range row {
		pad := widths[i] - utf8.RuneCountInString(cell) + 2
		if paint != nil {
			cell = paint(i, cell)
		}
		b.WriteString(cell)
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", pad))
		}
	}
	b.WriteByte('\n')
}
