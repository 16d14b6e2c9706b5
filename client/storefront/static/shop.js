// The shop's pages work without scripts; the scripts update them in place.
import { initDialogs } from "./dialog.js";
import { initGrid } from "./grid.js";
import { initLikes } from "./likes.js";
import { initLive } from "./live.js";
import { initPictures } from "./pictures.js";

initPictures();
initLikes();
initDialogs();
initGrid();
initLive();
