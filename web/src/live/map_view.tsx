/*
 * The live map: a picture for the eye, and beside it the same as text for whoever does not see it.
 * The picture is laid out for the width that there is, in its true size, so that its words stay
 * readable; where the places do not fit side by side they stand below each other.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Flow } from "./flow";
import { layoutOf, type Sizes } from "./map_layout";
import type { MapModel, World } from "./map_model";
import { Picture } from "./map_picture";
import { AsText } from "./map_words";

const BOX_HEIGHT = 74;
const NARROWEST = 124; /* a box of a row of columns */
const WIDEST = 172;
const GAP = { least: 56, most: 130 };

function useWidth() {
	const ref = useRef<HTMLDivElement>(null);
	const [width, setWidth] = useState(0);

	useEffect(() => {
		const element = ref.current;
		if (!element) return undefined;
		const watcher = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
		watcher.observe(element);
		setWidth(Math.floor(element.clientWidth));
		return () => watcher.disconnect();
	}, []);
	return { ref, width };
}

function sizesFor(model: MapModel, width: number): Sizes {
	const columns = new Set(model.places.map((place) => place.column)).size;
	const side = Math.floor((width - (columns - 1) * GAP.least) / columns);

	if (side >= NARROWEST) {
		const box = Math.min(WIDEST, side);
		const gap = Math.min(GAP.most, Math.floor((width - columns * box) / (columns - 1)));
		return {
			box: { width: box, height: BOX_HEIGHT },
			gap: { along: gap, across: 16 },
			most: 4,
			vertical: false,
			moreSpace: 28,
		};
	}
	const most = Math.max(1, Math.min(3, Math.floor(width / (NARROWEST + 12))));
	const perColumn = new Map<string, number>();
	for (const place of model.places)
		perColumn.set(place.column, (perColumn.get(place.column) ?? 0) + 1);
	const abreast = Math.min(most, Math.max(...perColumn.values()));
	return {
		box: {
			width: Math.min(260, Math.floor((width - (abreast - 1) * 12) / abreast)),
			height: BOX_HEIGHT,
		},
		gap: { along: 46, across: 12 },
		most,
		vertical: true,
		moreSpace: 24,
	};
}

export function MapView({
	model,
	world,
	flow,
}: {
	model: MapModel;
	world: World | null;
	flow: Flow;
}) {
	const { ref, width } = useWidth();
	const sizes = sizesFor(model, width);

	return (
		<div class="map-frame">
			<div ref={ref} class="map-room">
				{width > 0 && (
					<Picture
						model={model}
						layout={layoutOf(model, sizes)}
						vertical={sizes.vertical}
						world={world}
						flow={flow}
					/>
				)}
			</div>
			<AsText model={model} world={world} flow={flow} />
		</div>
	);
}
