package vmm

import (
	"fmt"

	"github.com/philoxenia/philoxenia/service/workspace"
)

// shapeForm is how a shape stands in a change's Argument.
const shapeForm = "memory %d cpus %d percent %d in %d out %d"

// ShapeText writes a shape for the Argument of a change; ShapeOf reads it.
func ShapeText(s workspace.Shape) string {
	return fmt.Sprintf(shapeForm, s.MemoryMB, s.CPUs, s.CPUPercent, s.NetInKbps, s.NetOutKbps)
}

// ShapeOf reads what ShapeText wrote; the empty text is the zero shape. The
// error has kind Internal: nobody else writes it.
func ShapeOf(text string) (s workspace.Shape, err error) {
	if text == "" {
		return s, nil
	}
	_, err = fmt.Sscanf(text, shapeForm,
		&s.MemoryMB, &s.CPUs, &s.CPUPercent, &s.NetInKbps, &s.NetOutKbps)
	if err != nil {
		return s, workspace.Errorf(workspace.Internal, "read the shape", text, "%w", err)
	}
	return s, nil
}
