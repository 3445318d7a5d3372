#!/bin/sh
# Speaks the sample guides: for every audio item in */guide.yaml it writes the
# item's file from the item's text, and its HLS playlist if it has a stream.
# It needs espeak-ng and ffmpeg (both Debian packages). The build does not run
# it: its output is kept in the tree. Run it after changing a text.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# items prints one line per audio item: file, stream (or -), text.
items() {
	awk '
		function flush() { if (kind == "audio") print file "\t" (stream ? stream : "-") "\t" text
		                   kind = file = stream = text = ""; folded = 0 }
		/^  - id:/             { flush() }
		/^    [a-z]+:/         { folded = 0 }
		/^    kind:/           { kind = $2 }
		/^    file:/           { file = $2 }
		/^    stream:/         { stream = $2 }
		/^    text: >-/        { folded = 1; next }
		folded && NF           { sub(/^ +/, ""); text = text (text ? " " : "") $0 }
		END                    { flush() }
	' "$1"
}

# speak TEXT FILE writes spoken text: a slow voice, warmed up a little, with a
# trace of room and an even loudness.
speak() {
	printf '%s\n' "$1" | espeak-ng -v "${VOICE:-en-gb+f3}" -s 142 -p 42 -g 2 -w "$work/voice.wav"
	ffmpeg -nostdin -loglevel error -y -i "$work/voice.wav" -map_metadata -1 -fflags +bitexact -flags:a +bitexact -af "
		highpass=f=85, equalizer=f=220:t=q:w=0.9:g=2.5, equalizer=f=3200:t=q:w=1.2:g=-3, lowpass=f=7800,
		aecho=0.9:0.5:23|37:0.10|0.07, acompressor=threshold=0.1:ratio=2.5:attack=12:release=180,
		loudnorm=I=-18:TP=-2:LRA=7, afade=t=in:d=0.05, adelay=250, apad=pad_dur=0.4, aresample=22050" \
		-ac 1 -c:a aac -b:a 36k -movflags +faststart "$2"
}

# segment FILE PLAYLIST cuts a spoken file into fragmented MP4 segments of about four seconds.
segment() {
	mkdir -p "$(dirname "$2")"
	ffmpeg -nostdin -loglevel error -y -i "$1" -c copy -map_metadata -1 -fflags +bitexact \
		-f hls -hls_time 4 -hls_playlist_type vod -hls_segment_type fmp4 \
		-hls_fmp4_init_filename init.mp4 -hls_segment_filename "$(dirname "$2")/%02d.m4s" "$2"
}

for guide in */guide.yaml; do
	place=$(dirname "$guide")
	items "$guide" | while IFS="$(printf '\t')" read -r file stream text; do
		speak "$text" "$place/$file"
		[ "$stream" = - ] || segment "$place/$file" "$place/$stream"
		echo "$place/$file: $(ffprobe -v error -show_entries format=duration -of csv=p=0 "$place/$file") s"
	done
done
