/* SPDX-License-Identifier: Apache-2.0 */
/* The national grid to WGS 84: the projection undone on the Airy ellipsoid, then a Helmert shift. The letters are those
 * of the Ordnance Survey's guide, so that the two can be read side by side. */
#include "business/osgb.h"

#include <math.h>
#include "base/banned.h"

#define AIRY_A	 6377563.396
#define AIRY_B	 6356256.909
#define WGS84_A	 6378137.0
#define WGS84_B	 6356752.3142
#define SCALE_F0 0.9996012717
#define LAT0	 (49 * M_PI / 180)
#define LNG0	 (-2 * M_PI / 180)
#define EAST0	 400000.0
#define NORTH0	 (-100000.0)
#define ARCSEC	 (M_PI / 180 / 3600)

enum { ROUNDS_MAX = 20 };

static double meridian_arc(double phi)
{
	double n = (AIRY_A - AIRY_B) / (AIRY_A + AIRY_B), n2 = n * n, n3 = n2 * n;
	double d = phi - LAT0, s = phi + LAT0;

	return AIRY_B * SCALE_F0 *
	       ((1 + n + 5.0 / 4 * (n2 + n3)) * d -
		(3 * n + 3 * n2 + 21.0 / 8 * n3) * sin(d) * cos(s) +
		15.0 / 8 * (n2 + n3) * sin(2 * d) * cos(2 * s) -
		35.0 / 24 * n3 * sin(3 * d) * cos(3 * s));
}

/* Annex C.2: grid to the Airy ellipsoid's latitude and longitude in radians. */
static void unproject(double east, double north, double *phi_out, double *lambda_out)
{
	double e2 = 1 - AIRY_B * AIRY_B / (AIRY_A * AIRY_A), phi = LAT0, m = 0;
	double nu, rho, eta2, t, t2, t4, sec, de;

	for (int i = 0; i < ROUNDS_MAX && (i == 0 || fabs(north - NORTH0 - m) > 0.00001); i++) {
		phi += (north - NORTH0 - m) / (AIRY_A * SCALE_F0);
		m = meridian_arc(phi);
	}
	nu = AIRY_A * SCALE_F0 / sqrt(1 - e2 * sin(phi) * sin(phi));
	rho = AIRY_A * SCALE_F0 * (1 - e2) / pow(1 - e2 * sin(phi) * sin(phi), 1.5);
	eta2 = nu / rho - 1;
	t = tan(phi);
	t2 = t * t;
	t4 = t2 * t2;
	sec = 1 / cos(phi);
	de = east - EAST0;
	*phi_out = phi - t / (2 * rho * nu) * pow(de, 2) +
		   t / (24 * rho * pow(nu, 3)) * (5 + 3 * t2 + eta2 - 9 * t2 * eta2) * pow(de, 4) -
		   t / (720 * rho * pow(nu, 5)) * (61 + 90 * t2 + 45 * t4) * pow(de, 6);
	*lambda_out = LNG0 + sec / nu * de -
		      sec / (6 * pow(nu, 3)) * (nu / rho + 2 * t2) * pow(de, 3) +
		      sec / (120 * pow(nu, 5)) * (5 + 28 * t2 + 24 * t4) * pow(de, 5) -
		      sec / (5040 * pow(nu, 7)) * (61 + 662 * t2 + 1320 * t4 + 720 * t4 * t2) *
			      pow(de, 7);
}

/* Annex B.6, OSGB36 to WGS 84 (the published parameters with their signs turned round). */
static void shift(double *x, double *y, double *z)
{
	const double tx = 446.448, ty = -125.157, tz = 542.060, s = -20.4894e-6;
	const double rx = 0.1502 * ARCSEC, ry = 0.2470 * ARCSEC, rz = 0.8421 * ARCSEC;
	double x1 = *x, y1 = *y, z1 = *z;

	*x = tx + (1 + s) * x1 - rz * y1 + ry * z1;
	*y = ty + rz * x1 + (1 + s) * y1 - rx * z1;
	*z = tz - ry * x1 + rx * y1 + (1 + s) * z1;
}

void osgb_to_wgs84(double easting, double northing, double *lat, double *lng)
{
	double airy_e2 = 1 - AIRY_B * AIRY_B / (AIRY_A * AIRY_A),
	       e2 = 1 - WGS84_B * WGS84_B / (WGS84_A * WGS84_A);
	double phi, lambda, nu, x, y, z, p;

	unproject(easting, northing, &phi, &lambda);
	nu = AIRY_A / sqrt(1 - airy_e2 * sin(phi) * sin(phi));
	x = nu * cos(phi) * cos(lambda);
	y = nu * cos(phi) * sin(lambda);
	z = nu * (1 - airy_e2) * sin(phi);
	shift(&x, &y, &z);
	p = hypot(x, y);
	phi = atan2(z, p * (1 - e2));
	for (int i = 0; i < ROUNDS_MAX; i++)
		phi = atan2(z + e2 * WGS84_A / sqrt(1 - e2 * sin(phi) * sin(phi)) * sin(phi), p);
	*lat = phi * 180 / M_PI;
	*lng = atan2(y, x) * 180 / M_PI;
}
