import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import "./live/live.css";
import "./live/diagnosis.css";
import { loadSession } from "./api";
import { App } from "./app";
import { keepLive } from "./live";
import { sayError } from "./notices";
import { applyPreferences } from "./preferences";

applyPreferences();
loadSession().catch(sayError);
keepLive();

const root = document.getElementById("app");
if (root) render(<App />, root);
