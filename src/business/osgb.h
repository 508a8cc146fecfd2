/* SPDX-License-Identifier: Apache-2.0 */
/* Great Britain's national grid (OSGB36, EPSG:27700) to latitude and longitude (WGS 84). */
#ifndef BUSINESS_OSGB_H
#define BUSINESS_OSGB_H

/* Easting and northing in metres to degrees; right to some five metres (Ordnance Survey, "A guide to coordinate systems
 * in Great Britain", annexes B and C: a seven-parameter transformation). Never fails; nonsense in gives nonsense out. */
void osgb_to_wgs84(double easting, double northing, double *lat, double *lng);

#endif
