# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes p676_itur.csv with itur, an independent implementation of ITU-R P.676-12.

pip install itur==0.4.0 && python tests/data/make_p676_itur.py > tests/data/p676_itur.csv
"""

import itur.models.itu676 as itu676
import numpy as np

# Temperature in K, dry pressure in hPa, vapour density in g/m^3: reference, tropical, winter, on a mountain.
ATMOSPHERES = ((288.15, 1013.25, 7.5), (308.15, 1000.0, 25.0), (263.15, 1020.0, 1.0), (250.0, 540.0, 0.3))

itu676.change_version(12)
model = itu676._ITU676_12_
frequencies = np.concatenate([np.linspace(1, 1000, 200), model.f_ox, model.f_wv[model.f_wv < 1000]])
print("temperature_k,dry_pressure_hpa,vapour_density_g_m3,frequency_ghz,oxygen_db_km,water_db_km")
for t, p, rho in ATMOSPHERES:
    for f in np.sort(frequencies):
        dry, wet = (float(share(f, p, rho, t)) for share in (model.gamma0_exact, model.gammaw_exact))
        print(f"{t},{p},{rho},{f:.9g},{dry:.6g},{wet:.6g}")
