package format

// Overlay says what image a qcow2 file stands on, by its name, when it is one as
// this project makes them: a plain qcow2 file that keeps its data itself. False:
// it is anything else. It needs the first HeadBytes bytes, or all there are.
func Overlay(head []byte) (backing string, ok bool) {
	if !hasAt(head, 0, "QFI\xfb") || len(head) < headerV3 {
		return "", false
	}
	q := decodeQCOW(head)
	if q.checkVersion(head) != nil || q.checkFeatures() != nil || q.snapshots != 0 ||
		q.checkExtensions(head) != nil {
		return "", false
	}
	from, length := q.backingOffset, uint64(q.backingLength)
	if from == 0 || length == 0 || from > uint64(len(head)) || length > uint64(len(head))-from {
		return "", false
	}
	return string(head[from : from+length]), true
}
